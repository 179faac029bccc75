#!/bin/sh
# A clock as server-sent events: a line for each second, until the reader leaves.
echo "Content-Type: text/event-stream"
echo "Cache-Control: no-store"
echo
while date +'data: %H:%M:%S%n'; do
  sleep 1
done
