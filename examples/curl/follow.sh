#!/bin/sh
# Follows events, one line of JSON each, and goes on where it was after any restart: its own or the gateway's.
#
#   WAGATE_URL=http://127.0.0.1:8080 WAGATE_API_KEY=wa_... sh follow.sh message,message.status
#
# Without names it prints every event. Keeps the id of the last one in the file `position`. Needs curl.
set -u

print_events() {
  id='' name=''
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      'id: '*) id=${line#id: } ;;
      'event: '*) name=${line#event: } ;;
      'data: '*) [ "$name" = heartbeat ] || printf '%s\n' "${line#data: }" ;;
      '') [ -z "$id" ] || { printf '%s' "$id" >position.new && mv position.new position; } ;;
      '{"error":{"code":"unavailable"'*) ;;
      '{"error":'*) printf '%s\n' "$line" >&2 && return 3 ;; # asking again would end the same way
    esac
  done
}

while true; do
  since=$(cat position 2>/dev/null)
  # There is a heartbeat every 15 seconds: a stream that is silent for 40 is dead.
  curl -sSN --speed-limit 1 --speed-time 40 "$WAGATE_URL/api/v1/events?since=$since&events=${1:-}" \
    -H "Authorization: Bearer $WAGATE_API_KEY" | print_events
  [ $? -ne 3 ] || exit 1
  sleep 1
done
