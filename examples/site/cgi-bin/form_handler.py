#!/usr/bin/env python3
"""Answers a form that was sent with GET or POST. Needs nothing but Python's standard library."""

import html
import os
import sys
from urllib.parse import parse_qs

LIMIT = 1024 * 1024

PAGE = """\
Content-Type: text/html; charset=utf-8

<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>CGI Response</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/style.css">
<header class="masthead"><a href="/">htbin example site</a></header>
<main class="sheet">
<h1>Hello from a CGI Script!</h1>
{greeting}
<table>
<caption>What the form said, sent with {method}</caption>
<tbody>
{rows}
</tbody>
</table>
<p><a href="/form.html">Fill in the form again</a></p>
</main>
<footer class="foot">Printed by <code>form_handler.py</code>: {lines} lines of Python.</footer>
</html>
"""


def refuse(status, explain):
    print(f"Status: {status}\nContent-Type: text/plain; charset=utf-8\n\n{explain}")
    sys.exit()


def read_form():
    if os.environ["REQUEST_METHOD"] != "POST":
        return os.environ.get("QUERY_STRING", "")
    kind = os.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        refuse("415 Unsupported Media Type", "Send a form as application/x-www-form-urlencoded.")
    length = int(os.environ.get("CONTENT_LENGTH") or 0)
    if length > LIMIT:
        refuse("413 Content Too Large", f"A form may have {LIMIT} bytes.")
    return sys.stdin.buffer.read(length).decode("ascii", "replace")


def main():
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    form = parse_qs(read_form(), keep_blank_values=True)
    name = form.get("name", [""])[0].strip()
    # What a visitor wrote is text, not markup: escape it, always.
    greeting = f"<p class=\"lead\">Hello, <strong>{html.escape(name)}</strong>!</p>"
    if not name:
        greeting = '<p class="lead">No name was provided.</p>'
    rows = "\n".join(
        f'<tr><th scope="row">{html.escape(field)}</th><td>{html.escape(value)}</td></tr>'
        for field, values in form.items()
        for value in values
    )
    with open(__file__, encoding="utf-8") as source:
        lines = sum(1 for _ in source)
    method = html.escape(os.environ["REQUEST_METHOD"])
    print(PAGE.format(greeting=greeting, method=method, rows=rows, lines=lines), end="")


main()
