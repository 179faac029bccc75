#!/usr/bin/env python3
"""A picture to click into. The page is an image map as in 1994: the browser sends where in the picture it was clicked.

The page is at /cgi-bin/mandelbrot.py, the picture that it shows at /cgi-bin/mandelbrot.py/picture.png.
"""

import html
import inspect
import os
import struct
import sys
import zlib
from urllib.parse import parse_qs, urlencode

WIDTH, HEIGHT = 480, 300

PAGE = """\
Content-Type: text/html; charset=utf-8

<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Image map</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/style.css">
<header class="masthead"><a href="/">htbin example site</a></header>
<main class="sheet">
<h1>Image map</h1>
<p class="lead">Click into the picture to go deeper.</p>
<form class="scroll" action="{script}">
<input type="hidden" name="x" value="{x}"><input type="hidden" name="y" value="{y}">
<input type="hidden" name="span" value="{span}">
<input type="image" name="at" src="{script}/picture.png?{query}" width="{width}" height="{height}"
  alt="The Mandelbrot set around {x:.6g} + {y:.6g}i, {span:.3g} wide">
</form>
<p>The centre is {x:.8g} + {y:.8g}i and the picture {span:.3g} wide. The browser sends a click as
<code>at.x</code> and <code>at.y</code>; the script counts, colours and packs the PNG itself.</p>
<p><a href="{script}">Back to the whole</a></p>
<pre class="source" tabindex="0">
{heart}</pre>
</main>
<footer class="foot">Printed by <code>mandelbrot.py</code>: {lines} lines of Python, the picture included.</footer>
</html>
"""


def number(query, name, default):
    try:
        value = float(query[name][0])
    except (KeyError, ValueError):
        return default
    return value if abs(value) <= 4 else default  # Not for infinity and not-a-number either.


def steps(cx, cy, limit):
    """How many steps a point stays near: the classic loop."""
    x = y = 0.0
    for count in range(limit):
        xx, yy = x * x, y * y
        if xx + yy > 4:
            return count
        x, y = xx - yy + cx, 2 * x * y + cy
    return None


def picture(x, y, span):
    scale = span / WIDTH
    rows = bytearray()
    for row in range(HEIGHT):
        rows.append(0)  # PNG: this row is not filtered.
        cy = y + (HEIGHT / 2 - row) * scale
        for column in range(WIDTH):
            count = steps(x + (column - WIDTH / 2) * scale, cy, 64)
            rows.append(0 if count is None else 1 + count % 4)
    palette = bytes.fromhex("15251c e4f2e3 bfe3bd 8fc79a 40309e")
    return b"".join([
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)),
        chunk(b"PLTE", palette),
        chunk(b"IDAT", zlib.compress(bytes(rows))),
        chunk(b"IEND", b""),
    ])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main():
    query = parse_qs(os.environ.get("QUERY_STRING", ""))
    x, y = number(query, "x", -0.6), number(query, "y", 0.0)
    span = max(number(query, "span", 3.2), 1e-12)
    if os.environ.get("PATH_INFO") == "/picture.png":
        data = picture(x, y, span)
        head = f"Content-Type: image/png\nContent-Length: {len(data)}\nCache-Control: max-age=3600\n\n"
        sys.stdout.buffer.write(head.encode("ascii") + data)
        return
    if "at.x" in query and "at.y" in query:
        scale = span / WIDTH
        try:
            column, row = int(query["at.x"][0]), int(query["at.y"][0])
            if (column, row) == (0, 0):  # From the keyboard: into the middle.
                column, row = WIDTH / 2, HEIGHT / 2
            x += (column - WIDTH / 2) * scale
            y += (HEIGHT / 2 - row) * scale
            span /= 4
        except ValueError:
            pass
    with open(__file__, encoding="utf-8") as source:
        lines = sum(1 for _ in source)
    heart = html.escape(inspect.getsource(steps), quote=False)
    script = html.escape(os.environ["SCRIPT_NAME"])
    place = html.escape(urlencode({"x": x, "y": y, "span": span}))
    size = {"width": WIDTH, "height": HEIGHT}
    print(PAGE.format(script=script, x=x, y=y, span=span, query=place, heart=heart, lines=lines, **size), end="")


main()
