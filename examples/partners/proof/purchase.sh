#!/usr/bin/env bash
# A purchase with Proof, as a partner's backend makes it, with curl and jq: a starting point for your own.
#
# Where, as whom and what stands in the environment, as `rampcheck certify` sets it. It follows the transaction by polling
# alone, which needs no server; webhooks are optional.
set -euo pipefail

BOOKS=${BOOKS:-purchases.log}
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT

# Seconds, or what a test makes of them.
wait_for() { sleep "$(jq -n "$1 * ${RAMPCHECK_TIME_SCALE:-1}")"; }

# call PATH [curl's options]: the status; the body is in $ANSWER. The token is the backend's secret: it stands here and
# nowhere else, also not on curl's command line, which other users of the machine can read. 000 is no answer.
call() {
  curl --silent --max-time 30 --output "$ANSWER" --write-out '%{http_code}' \
    --header @<(printf 'Authorization: Bearer %s' "$PROOF_CLIENT_TOKEN") \
    --header 'Content-Type: application/json' "${@:2}" "$RAMPCHECK_BASE_URL$1" || true
}

# book ID STATUS: does once what a new status calls for; here it writes a line.
book() {
  touch "$BOOKS"
  grep --quiet --line-regexp --fixed-strings "$1 $2" "$BOOKS" || printf '%s %s\n' "$1" "$2" >>"$BOOKS"
}

# What is bought, and by whom: the amount a string, the address the user's, and none to send to, which Proof knows.
BODY=$(jq --null-input --compact-output '{
  partner_user_id: env.RAMPCHECK_USER_ID,
  user_email: env.RAMPCHECK_USER_EMAIL,
  currency: env.RAMPCHECK_CURRENCY,
  network: env.RAMPCHECK_NETWORK,
  amount: env.RAMPCHECK_AMOUNT,
  client_ip: env.RAMPCHECK_CLIENT_IP
}')

# The same body again after 502 (four times, with growing pauses) and after 500 (once). Whatever else is refused has to be
# mended first.
upstream=(1 2 4 8)
internal=(1)
while true; do
  status=$(call /widget/session --request POST --data-binary @- <<<"$BODY")
  case $status in
    2??) break ;;
    502) pause=${upstream[0]:-} upstream=("${upstream[@]:1}") ;;
    500) pause=${internal[0]:-} internal=("${internal[@]:1}") ;;
    *) pause= ;;
  esac
  if [[ -z $pause ]]; then
    echo "no session: $status: $(cat "$ANSWER")" >&2
    exit 1
  fi
  wait_for "$pause"
done

id=$(jq --raw-output .merchant_transaction_id "$ANSWER")
book "$id" created # saved before the user can pay

# Hands every value on as it came; a frontend calls proofWidget.run with them.
curl --silent --output /dev/null --header 'Content-Type: application/json' --data-binary @"$ANSWER" "$RAMPCHECK_WIDGET_URL"

# Asks every 7 seconds (5 to 10 are recommended) until the status can change no more.
for ((polls = 0; polls < 1000; polls++)); do
  wait_for 7
  status=$(call "/widget/transactions/$(jq --null-input --raw-output --arg id "$id" '$id | @uri')")
  case $status in
    2??) ;;
    5?? | 000) continue ;;
    *) echo "no status of $id: $status" >&2 && exit 1 ;;
  esac
  status=$(jq --raw-output .status "$ANSWER")
  book "$id" "$status"
  case $status in
    completed | failed | cancelled) echo "$status" && exit ;;
  esac
done
echo "$id has come to no end" >&2
exit 1
