#!/usr/bin/env bash
# Makes these examples anew: a signed conforming run, a broken one of the next release, and their comparison. Needs
# `rampcheck` on the path, and for the picture in the README a Chromium (CHROMIUM names it); the keys are thrown away.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'kill "${sandbox:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
rm -rf signed broken compare ./*.pub

judge() { # FOLDER BUILD EXPECTED-EXIT-CODE DEFECT…
  local folder=$1 build=$2 code=$3; shift 3
  rm -f "$work/profile.yaml"
  rampcheck serve --contract proof "${@/#/--defect=}" --write-profile "$work/profile.yaml" > "$work/log" & sandbox=$!
  until [ -s "$work/profile.yaml" ] && grep -q 8787 "$work/log"; do kill -0 "$sandbox"; sleep 0.1; done
  printf 'subject: {partner: Example Wallet Ltd, requested_by: Onboarding}\n' >> "$work/profile.yaml"
  local came=0
  rampcheck run "$work/profile.yaml" --build "$build" --output "$folder" > /dev/null || came=$?
  kill "$sandbox"; wait "$sandbox" || true
  [ "$came" = "$code" ] || { echo "exit code $came in place of $code" >&2; exit 1; }
  rm -r "$folder/allure-results"
}

judge signed 2026.11.1 0
judge broken 2026.11.2 1 token-compared-by-prefix webhook-as-form request-id-missing

for side in provider partner; do
  rampcheck keygen "$work/$side" > /dev/null
  cp "$work/$side.pub" "$side.pub"
done
rampcheck sign signed --key "$work/provider" --as provider --name "Jane Doe" --role "Head of QA" > /dev/null
rampcheck sign signed --key "$work/partner" --as partner --name "John Roe" --role "Head of Engineering" > /dev/null
rampcheck verify signed --trust provider=provider.pub --trust partner=partner.pub --rejudge > /dev/null
rampcheck compare signed broken --output compare > /dev/null || [ $? = 1 ]

if browser=$(command -v "${CHROMIUM:-chromium}"); then
  "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/browser" \
    --window-size=1280,1800 --screenshot=report.png "file://$PWD/broken/index.html" 2> /dev/null
fi
