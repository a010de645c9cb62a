#!/bin/sh
# Sends a text, once: also when the answer is lost on the way and the call is made again.
#
#   WAGATE_URL=http://127.0.0.1:8080 WAGATE_API_KEY=wa_... sh send.sh <session> <to> <text>
#
# Prints the answer, and ends with 0 where it was sent. Needs curl, and python3 for the quotes in a text.
set -eu
session=$1

body=$(python3 -c 'import json, sys; print(json.dumps(dict(zip(["to", "text"], sys.argv[1:]), type="text")))' "$2" "$3")
# Names this message: a call with the same key gets the result of the first one and sends nothing.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

for pause in 1 2 4 8 0; do
  answer=$(curl -sS --max-time 30 -w '\n%{http_code}' "$WAGATE_URL/api/v1/sessions/$session/messages" \
    -H "Authorization: Bearer $WAGATE_API_KEY" -H "Idempotency-Key: $key" \
    -H 'Content-Type: application/json' -d "$body") || true
  status=$(printf '%s' "$answer" | tail -n 1)
  case $status in
    000 | 503) sleep "$pause" ;; # no answer, or "come back later"
    *) break ;;
  esac
done

printf '%s\n' "$answer" | sed '$d'
test "$status" = 200
