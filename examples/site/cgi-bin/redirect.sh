#!/bin/sh
# Sends the reader elsewhere, in the three ways a script has (RFC 3875, section 6.2).
[ "$HTTPS" = on ] && scheme=https || scheme=http
here=$scheme://${HTTP_HOST:-$SERVER_NAME:$SERVER_PORT}
goal=/cgi-bin/path.py/arrived/by

case $QUERY_STRING in
  to=client)
    echo "Location: $here$goal/client/redirect"
    ;;
  to=local)
    echo "Location: $goal/local/redirect?from=redirect.sh"
    ;;
  to=see-other)
    echo "Status: 303 See Other"
    echo "Location: $here$goal/see/other"
    ;;
  *)
    echo "Status: 400 Bad Request"
    echo "Content-Type: text/plain"
    echo
    echo "Add ?to=client, ?to=local or ?to=see-other."
    exit
    ;;
esac
echo
