#!/usr/bin/env bash
# A purchase with Kryptonim, as a partner's backend makes it, with curl, jq and openssl: a starting point for your own.
#
# The environment says where, as whom and what, as `rampcheck certify` sets it.
set -euo pipefail

BOOKS=${BOOKS:-purchases.log}
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT

# Seconds, or what a test makes of them.
wait_for() { sleep "$(jq -n "$1 * ${RAMPCHECK_TIME_SCALE:-1}")"; }

# What is bought, and by whom: one amount, a number; the user's own wallet; the user's address, not this machine's.
BODY=$(jq --null-input --compact-output '{
  cryptoAmount: env.RAMPCHECK_AMOUNT | tonumber,
  cryptoCurrency: env.RAMPCHECK_CURRENCY,
  network: env.RAMPCHECK_NETWORK,
  destinationAddress: env.RAMPCHECK_ADDRESS,
  fiatCurrency: env.RAMPCHECK_FIAT_CURRENCY,
  email: env.RAMPCHECK_USER_EMAIL,
  ipAddress: env.RAMPCHECK_CLIENT_IP,
  metadata: {userId: env.RAMPCHECK_USER_ID},
  successUrl: "https://partner.example/bought",
  failureUrl: "https://partner.example/not-bought"
}')

# post: asks for a session and says the status; the answer is in $ANSWER. The bytes that are signed are those that are sent:
# printf adds no line end. curl reads the key from a file that is none, so that it stands on no command line; openssl takes
# the secret on its own only, where other users of the machine can read it for a moment: have the machine to yourself.
post() {
  local signature
  signature=$(printf %s "$BODY" | openssl dgst -sha256 -hmac "$KRYPTONIM_SIGNATURE_SECRET" -r | cut -d ' ' -f 1)
  printf %s "$BODY" | curl --silent --max-time 30 --output "$ANSWER" --write-out '%{http_code}' \
    --header @<(printf 'X-API-Key: %s' "$KRYPTONIM_API_KEY") \
    --header "X-Request-Signature: $signature" --header 'Content-Type: application/json' \
    --data-binary @- "$RAMPCHECK_BASE_URL/v1/widget-sessions" || true
}

# A new session, in $ANSWER; its id, which is the transaction's id later on, is kept. After 502, 503 and 504 the same body
# goes again, after growing pauses; what else is refused has to be mended first.
create_session() {
  local status pause
  for pause in 1 2 4 ''; do
    status=$(post)
    case $status in
      2??) jq --raw-output '"\(.sessionId) \(env.RAMPCHECK_USER_ID)"' "$ANSWER" >>"$BOOKS" && return ;;
      502 | 503 | 504) [[ -z $pause ]] || { wait_for "$pause" && continue; } ;;
    esac
    echo "no session: $status: $(cat "$ANSWER")" >&2
    exit 1
  done
}

# Sends the user to the URL as it came; fails where the widget says that the session has expired.
open_widget() {
  local status
  status=$(jq --compact-output '{widgetUrl}' "$ANSWER" | curl --silent --output /dev/null --write-out '%{http_code}' \
    --header 'Content-Type: application/json' --data-binary @- "$RAMPCHECK_WIDGET_URL")
  [[ $status != 410 ]]
}

# A session lasts for 30 minutes; one that has expired is left, and another made, once.
create_session
if ! open_widget; then
  create_session
  open_widget || { echo "two sessions in a row have expired" >&2 && exit 1; }
fi
jq --raw-output .sessionId "$ANSWER"
