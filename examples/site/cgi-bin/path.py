#!/usr/bin/env python3
"""Shows how a URL falls into the script's name, the path that follows it, and the query."""

import html
import os
import sys
from urllib.parse import quote

PAGE = """\
Content-Type: text/html; charset=utf-8

<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The rest of the path</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/style.css">
<header class="masthead"><a href="/">htbin example site</a></header>
<main class="sheet">
<h1>The rest of the path</h1>
<p class="split">{split}</p>
<p>The server walks along the path until it meets a program. <b>SCRIPT_NAME</b> is the path to the program,
<b>PATH_INFO</b> what comes after it, decoded, and <b>QUERY_STRING</b> what follows the question mark, as it was sent.</p>
<table>
<caption>What the script was told</caption>
<tbody>
{rows}
</tbody>
</table>
<h2>Walk on</h2>
<ul>
{links}
</ul>
<h2>The heart of the script</h2>
<pre class="source" tabindex="0">
{heart}</pre>
</main>
<footer class="foot">Printed by <code>path.py</code>: {lines} lines of Python.</footer>
</html>
"""

WALKS = [
    ("/animals/birds/owl", "Three steps down"),
    ("/caf%C3%A9/na%C3%AFve", "Letters outside of ASCII"),
    ("/one%2Ftwo/three", "An encoded slash: decoded here, where it can no longer name a file"),
    ("/a//b", "A doubled slash: kept"),
    ("/?colour=green&colour=white", "A query"),
    ("/%3Cscript%3E", "Something to escape"),
]


def main():
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    script = os.environ["SCRIPT_NAME"]
    path = os.environ.get("PATH_INFO", "")
    query = os.environ.get("QUERY_STRING", "")

    split = f'<span class="script">{html.escape(script)}</span>'
    if path:
        split += f'<wbr><span class="path">{html.escape(path)}</span>'
    if query:
        split += f'<wbr>?<span class="query">{html.escape(query)}</span>'

    names = ["SCRIPT_NAME", "PATH_INFO", "PATH_TRANSLATED", "QUERY_STRING", "REQUEST_URI"]
    rows = "\n".join(
        f'<tr><th scope="row">{name}</th><td>{html.escape(os.environ.get(name, "(not set)")) or "(empty)"}</td></tr>'
        for name in names
    )

    links = [(walk, text) for walk, text in WALKS]
    above = path.rstrip("/").rpartition("/")[0]
    if path:
        links.insert(0, (quote(above), "One step up"))
    items = "\n".join(
        f'<li><a href="{html.escape(quote(script) + walk)}">{html.escape(text)}</a></li>' for walk, text in links
    )

    with open(__file__, encoding="utf-8") as source:
        lines = source.readlines()
    heart = html.escape("".join(line.lstrip() for line in lines if " = os.environ" in line), quote=False)
    print(PAGE.format(split=split, rows=rows, links=items, heart=heart, lines=len(lines)), end="")


main()
