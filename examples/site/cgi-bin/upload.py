#!/usr/bin/env python3
"""Takes an upload apart (multipart/form-data, RFC 7578) piece by piece: files of any size, a few pieces in memory.

Nothing is stored. The page shows the name, size and SHA-256 of each file.
"""

import email.message
import email.parser
import email.policy
import hashlib
import html
import os
import sys

PIECE = 64 * 1024
HEAD_LIMIT = 16 * 1024

PAGE = """\
Content-Type: text/html; charset=utf-8

<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Upload received</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/style.css">
<header class="masthead"><a href="/">htbin example site</a></header>
<main class="sheet">
<h1>Upload received</h1>
{parts}
<p class="faded">Nothing was stored.</p>
<p><a href="/upload.html">Send something else</a></p>
</main>
<footer class="foot">Printed by <code>upload.py</code>: {lines} lines of Python.</footer>
</html>
"""


class Malformed(Exception):
    """The body is not what its Content-Type says."""


class Body:
    """The request body, with its boundaries found however they fall between two reads."""

    def __init__(self, stream, length):
        self.stream = stream
        self.left = length
        self.held = bytearray(b"\r\n")  # So that the first boundary looks like all others.

    def fill(self):
        data = self.stream.read1(min(PIECE, self.left)) if self.left else b""
        if not data:
            raise Malformed("The body ends too early.")
        self.left -= len(data)
        self.held += data

    def take(self, size):
        while len(self.held) < size:
            self.fill()
        data = bytes(self.held[:size])
        del self.held[:size]
        return data

    def until(self, mark):
        """Yields what comes before the mark, and steps over the mark."""
        while True:
            at = self.held.find(mark)
            if at >= 0:
                yield self.take(at)
                self.take(len(mark))
                return
            yield self.take(max(0, len(self.held) - len(mark) + 1))
            self.fill()

    def head(self):
        """Reads a part's header fields."""
        lines = bytearray()
        while not lines.endswith(b"\r\n\r\n"):
            for piece in self.until(b"\r\n"):
                lines += piece
                if len(lines) > HEAD_LIMIT:
                    raise Malformed("A part has too long a head.")
            lines += b"\r\n"
            if lines == b"\r\n":
                break
        text = lines.decode("utf-8", "replace")
        return email.parser.HeaderParser(policy=email.policy.compat32).parsestr(text)


def read_parts(body, boundary):
    mark = b"\r\n--" + boundary.encode("latin-1")
    for _ in body.until(mark):
        pass  # What comes before the first boundary means nothing.
    while body.take(2) != b"--":
        head = body.head()
        digest, size, start = hashlib.sha256(), 0, b""
        for piece in body.until(mark):
            digest.update(piece)
            size += len(piece)
            start += piece[: 200 - len(start)]
        yield head, size, digest.hexdigest(), start


def show(head, size, digest, start):
    name = head.get_param("name", "", "content-disposition")
    filename = head.get_filename()
    rows = [("Field", name)]
    if filename is None:
        rows.append(("Value", start.decode("utf-8", "replace")))
    elif not filename:
        rows.append(("File name", "(no file was chosen)"))
    else:
        filename = filename.replace("%22", '"')  # As browsers write a quotation mark in a file name.
        rows += [("File name", filename), ("Type", head.get("content-type", "not given"))]
        rows += [("Size", f"{size:,} bytes"), ("SHA-256", digest)]
    body = "\n".join(
        f'<tr><th scope="row">{label}</th><td>{html.escape(str(value))}</td></tr>' for label, value in rows
    )
    return f"<table>\n<tbody>\n{body}\n</tbody>\n</table>"


def main():
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    kind = email.message.Message()
    kind["content-type"] = os.environ.get("CONTENT_TYPE", "")
    boundary = kind.get_boundary()
    if kind.get_content_type() != "multipart/form-data" or not boundary:
        print("Status: 415 Unsupported Media Type\nContent-Type: text/plain\n\nSend multipart/form-data.")
        return
    body = Body(sys.stdin.buffer, int(os.environ.get("CONTENT_LENGTH") or 0))
    try:
        parts = [show(*part) for part in read_parts(body, boundary)]
    except Malformed as problem:
        print(f"Status: 400 Bad Request\nContent-Type: text/plain\n\n{problem}")
        return
    with open(__file__, encoding="utf-8") as source:
        lines = sum(1 for _ in source)
    print(PAGE.format(parts="\n".join(parts), lines=lines), end="")


main()
