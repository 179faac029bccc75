#!/bin/sh
# Answers with the status that the query asks for: ?code=404
code=${QUERY_STRING#code=}
case $code in
  [2-5][0-9][0-9]) ;;
  *) code=400 ;;
esac

case $code in
  200) reason="OK" ;;
  201) reason="Created" ;;
  204) reason="No Content" ;;
  400) reason="Bad Request" ;;
  403) reason="Forbidden" ;;
  404) reason="Not Found" ;;
  410) reason="Gone" ;;
  418) reason="I'm a teapot" ;;
  429) reason="Too Many Requests" ;;
  451) reason="Unavailable For Legal Reasons" ;;
  500) reason="Internal Server Error" ;;
  503) reason="Service Unavailable" ;;
  *) reason="Status $code" ;;
esac

echo "Status: $code $reason"
case $code in
  429 | 503) echo "Retry-After: 5" ;;
esac
echo "Content-Type: text/html; charset=utf-8"
echo
case $code in
  204 | 304) exit ;;
esac
cat <<HTML
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$code $reason</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/style.css">
<header class="masthead"><a href="/">htbin example site</a></header>
<main class="sheet">
<h1>$code $reason</h1>
<p>This page and its status come from a script. <a href="/status.html">Ask for another status</a>.</p>
</main>
<footer class="foot">Printed by <code>status.sh</code>: $(wc -l <"$0") lines of shell.</footer>
</html>
HTML
