/** Reading the head of a script's output. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createHeadReader, HEAD_LIMIT, type HeadProgress, latin1, quote } from "../../src/cgi/head.ts";

/** Text whose characters are bytes. */
function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** What a reader says of this output, given in these pieces and then ended. */
function read(pieces: readonly string[], strict = true): HeadProgress {
  const reader = createHeadReader(strict);
  for (const piece of pieces) {
    const progress = reader.push(bytes(piece));
    if (progress.kind !== "more") return progress;
  }
  return reader.end();
}

/** The same as plain text, with the body as it came with the last piece. */
function plain(progress: HeadProgress): unknown {
  if (progress.kind !== "head") return progress;
  const { head, rest } = progress;
  return { ...head, rest: latin1(rest) };
}

function whole(output: string, strict = true): unknown {
  return plain(read([output], strict));
}

function head(fields: readonly (readonly [string, string])[], more: object = {}): unknown {
  return { status: null, statusText: "", statusLine: false, fields, rest: "", ...more };
}

const TYPE = ["Content-Type", "text/plain"] as const;

/** Output and what a strict reader makes of it. */
const HEADS: readonly (readonly [name: string, output: string, expected: unknown])[] = [
  ["LF", "Content-Type: text/plain\n\nbody", head([TYPE], { rest: "body" })],
  ["CRLF", "Content-Type: text/plain\r\n\r\nbody", head([TYPE], { rest: "body" })],
  ["LF, then CRLF", "Content-Type: text/plain\nX: 1\r\n\nb", head([TYPE, ["X", "1"]], { rest: "b" })],
  ["CRLF, then LF", "Content-Type: text/plain\r\n\nb\n", head([TYPE], { rest: "b\n" })],
  ["no body", "Content-Type: text/plain\n\n", head([TYPE])],
  [
    "a body that begins with blank lines",
    "Location: http://x/\r\n\n\n",
    head([["Location", "http://x/"]], { rest: "\n" }),
  ],
  ["spaces and tabs around a value", "X:  \t a b \t \nY:c\n\n", head([["X", "a b"], ["Y", "c"]])],
  ["an empty value", "X:\nY: \n\n", head([["X", ""], ["Y", ""]])],
  ["a tab in a value", "X: a\tb\n\n", head([["X", "a\tb"]])],
  ["colons in a value", "Location: http://h:1/:x\n\n", head([["Location", "http://h:1/:x"]])],
  ["a value that is not ASCII", "X: \u00e4\u0080\u00ff\n\n", head([["X", "\u00e4\u0080\u00ff"]])],
  ["Status", "Status: 404 Not Here\n\n", head([], { status: 404, statusText: "Not Here" })],
  ["Status without text", "Status: 404\n\n", head([], { status: 404 })],
  [
    "Status in any case, in any place",
    "A: b\nsTaTus: 299 x y\n\n",
    head([["A", "b"]], { status: 299, statusText: "x y" }),
  ],
  ["the same Status twice", "Status: 404\nstatus: 404\n\n", head([], { status: 404 })],
  [
    "a status line",
    "HTTP/1.0 200 OK\r\nServer: x\n\r\nok",
    head([["Server", "x"]], { status: 200, statusText: "OK", statusLine: true, rest: "ok" }),
  ],
  ["a status line without text", "HTTP/1.1 204\n\n", head([], { status: 204, statusLine: true })],
  [
    "what Python's cgitb begins with",
    "<!--: spam\nContent-Type: text/html\n\n<body> -->",
    head([["Content-Type", "text/html"]], { rest: "<body> -->" }),
  ],
  [
    "the same after a header",
    "A: b\r\n<!--: spam\r\nContent-Type: text/html\r\n\r\nx",
    head([["A", "b"], ["Content-Type", "text/html"]], { rest: "x" }),
  ],
  ["an interim response", "Status: 103 Early\nLink: <x>\n\nA: b\n\nc", head([["A", "b"]], { rest: "c" })],
  [
    "interim responses with status lines",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nc",
    head([["A", "b"]], { status: 200, statusText: "OK", statusLine: true, rest: "c" }),
  ],
];

/** Output that is no response, and what is said of it. */
const REFUSED: readonly (readonly [name: string, output: string, reason: RegExp])[] = [
  ["nothing", "", /^nothing at all$/],
  ["a blank line first", "\nHello", /^a blank line where the first header belongs$/],
  ["a CRLF blank line first", "\r\nHello", /^a blank line where the first header belongs$/],
  ["text", "perl cgi\n", /^a line that is not a header: "perl cgi"$/],
  ["text without a line end", "perl cgi", /^a first line that is not a header: "perl cgi"$/],
  ["an end in the first line", "Content-Type: te", /^no blank line after the headers$/],
  ["an end before the blank line", "A: b\nC: d\n", /^no blank line after the headers$/],
  ["an end within the blank line", "A: b\n\r", /^no blank line after the headers$/],
  ["a line without a colon", "A: b\nHello\n\n", /^a line that is not a header: "Hello"$/],
  ["a folded line", "A: b\n c: d\n\n", /^a continued \(folded\) header line: " c: d"$/],
  ["a line folded with a tab", "A: b\n\tc\n\n", /^a continued \(folded\) header line: "\\tc"$/],
  ["no name", ": b\n\n", /^a header without a name: ": b"$/],
  ["a space before the colon", "A : b\n\n", /^a space before the colon: "A : b"$/],
  ["a name with a space", "A b: c\n\n", /^a header name with other than letters, digits and "-": "A b"$/],
  ["a name with an underscore", "Bad_head: 1\n\n", /^a header name with other .*: "Bad_head"$/],
  ["what is almost cgitb's line", "<!--: spam \nA: b\n\n", /^a header name with other .*: "<!--"$/],
  ["a comment that is not cgitb's", "<!--: ham\nA: b\n\n", /^a header name with other .*: "<!--"$/],
  ["a byte order mark", "\u00ef\u00bb\u00bfA: b\n\n", /^a byte order mark before the first header/],
  ["a Status of two digits", "Status: 30\n\n", /^a Status that is not a number from 100 to 599: "30"$/],
  ["a Status of four digits", "Status: 1000\n\n", /^a Status that is not/],
  ["a Status below 100", "Status: 099\n\n", /^a Status that is not/],
  ["a Status above 599", "Status: 600\n\n", /^a Status that is not/],
  ["a Status with text attached", "Status: 200OK\n\n", /^a Status that is not/],
  ["a Status that is no number", "Status: abc\n\n", /^a Status that is not/],
  ["a Status without a value", "Status:\nA: b\n\n", /^a Status that is not/],
  ["two Statuses", "Status: 200\nStatus: 404\n\n", /^two statuses: 200 and 404$/],
  ["a status line and another Status", "HTTP/1.0 200 OK\nStatus: 404\n\n", /^two statuses: 200 and 404$/],
  ["a broken status line", "HTTP/1.1 abc\n\n", /^a status line that is none: "HTTP\/1.1 abc"$/],
  ["switching protocols", "Status: 101\nUpgrade: x\n\n", /^101 Switching Protocols/],
  ["17 interim responses", "Status: 103\n\n".repeat(17) + "A: b\n\n", /^more than 16 interim/],
  ["an end after an interim response", "Status: 103\n\n", /^no blank line after the headers$/],
];

describe("createHeadReader()", () => {
  for (const [name, output, expected] of HEADS) {
    it(`reads ${name}`, () => {
      assert.deepEqual(whole(output), expected);
    });
  }

  it("reads each head the same, wherever it is split in two", () => {
    for (const [name, output, expected] of HEADS) {
      for (let at = 0; at <= output.length; at++) {
        const reader = createHeadReader(true);
        const first = reader.push(bytes(output.slice(0, at)));
        const done = first.kind === "more" ? reader.push(bytes(output.slice(at))) : first;
        assert.ok(done.kind === "head", `${name}, split at ${at}`);
        const rest = latin1(done.rest) + (first.kind === "more" ? "" : output.slice(at));
        assert.deepEqual({ ...done.head, rest }, expected, `${name}, split at ${at}`);
      }
    }
  });

  it("reads each head the same byte by byte", () => {
    for (const [name, output, expected] of HEADS) {
      const reader = createHeadReader(true);
      let at = 0;
      let progress: HeadProgress;
      do progress = reader.push(bytes(output[at++]!)); while (progress.kind === "more");
      assert.ok(progress.kind === "head", name);
      assert.equal(progress.rest.length, 0, name);
      assert.deepEqual({ ...progress.head, rest: output.slice(at) }, expected, name);
    }
  });

  for (const [name, output, reason] of REFUSED) {
    it(`refuses ${name}`, () => {
      const progress = read([output]);
      assert.ok(progress.kind === "bad", JSON.stringify(progress));
      assert.match(progress.reason, reason);
    });
  }

  it("refuses the same, whole or byte by byte", () => {
    for (const [name, output] of REFUSED) {
      assert.deepEqual(read([...output]), read([output]), name);
    }
  });

  it("refuses every control character in a name", () => {
    for (let code = 1; code < 0x20; code++) {
      if (code === 0x0a) continue;
      const progress = read([`X-${String.fromCharCode(code)}y: 1\n\n`]);
      assert.equal(progress.kind, "bad", `0x${code.toString(16)}`);
    }
    assert.equal(read(["X\x7fy: 1\n\n"]).kind, "bad");
  });

  it("refuses every control character but the tab in a value", () => {
    for (const strict of [true, false]) {
      for (const code of [...Array(0x20).keys(), 0x7f]) {
        if (code === 0x0a || code === 0x09) continue;
        const output = `A: b\nX-Evil: a${String.fromCharCode(code)}b\n\n`;
        const progress = read([output], strict);
        const text = JSON.stringify(plain(progress));
        assert.ok(
          strict ? progress.kind === "bad" : !text.includes("Evil"),
          `0x${code.toString(16)}: ${text}`,
        );
      }
    }
  });

  it("takes a line as long as the head may be", () => {
    const value = "x".repeat(HEAD_LIMIT - 10);
    assert.deepEqual(whole(`Cookie: ${value}\n\nbody`), head([["Cookie", value]], { rest: "body" }));
  });

  it("refuses a head that is too large, and not a byte sooner", () => {
    for (const strict of [true, false]) {
      const line = "A: " + "x".repeat(1020) + "\n";
      const reader = createHeadReader(strict);
      let size = 0;
      while (size + line.length <= HEAD_LIMIT) {
        assert.equal(reader.push(bytes(line)).kind, "more");
        size += line.length;
      }
      const progress = reader.push(bytes(line));
      assert.deepEqual(progress, { kind: "bad", reason: `more than ${HEAD_LIMIT} bytes of headers` });
    }
  });

  it("does not mind a large body in the same piece", () => {
    const body = "x".repeat(3 * HEAD_LIMIT);
    assert.deepEqual(whole(`A: b\n\n${body}`), head([["A", "b"]], { rest: body }));
  });

  it("takes a head that comes byte by byte in about the time of its length", () => {
    const reader = createHeadReader(true);
    const piece = bytes("x");
    reader.push(bytes("A:"));
    const started = performance.now();
    for (let size = 2; size < HEAD_LIMIT; size++) reader.push(piece);
    // Quadratic, it would copy two gigabytes.
    assert.ok(performance.now() - started < 2000);
  });

  it("keeps the first bytes as a sample", () => {
    const reader = createHeadReader(true);
    reader.push(bytes("perl"));
    reader.push(bytes(" cgi\n" + "x".repeat(1000)));
    assert.equal(latin1(reader.sample()), "perl cgi\n" + "x".repeat(503));
  });
});

describe("createHeadReader(), lenient", () => {
  const lenient = (output: string) => whole(output, false);

  it("takes output without a head for a body", () => {
    for (const output of ["hello\n", "hello", "hello\nA: b\n\nx", "a b: c\n", ": x\n\n", " x: y\n"]) {
      assert.deepEqual(lenient(output), head([], { rest: output }), output);
    }
  });

  it("takes a long first line for a body once it can be no header", () => {
    const output = "x".repeat(HEAD_LIMIT + 1);
    assert.deepEqual(lenient(output), head([], { rest: output }));
  });

  it("skips lines that are no headers, after the first", () => {
    assert.deepEqual(
      lenient("A: b\nHello\n folded\nC: d\n\nx"),
      head([["A", "b"], ["C", "d"]], { rest: "x" }),
    );
  });

  it("takes any token for a name, and space before the colon", () => {
    assert.deepEqual(lenient("Bad_head : 1\nX.y!: 2\n\n"), head([["Bad_head", "1"], ["X.y!", "2"]]));
  });

  it("takes the line ends of a text mode for line ends", () => {
    assert.deepEqual(lenient("A: b\r\r\nC: d\r\r\n\r\nx"), head([["A", "b"], ["C", "d"]], { rest: "x" }));
  });

  it("takes an end after the headers for the blank line", () => {
    assert.deepEqual(lenient("A: b\nC: d"), head([["A", "b"], ["C", "d"]]));
  });

  it("takes a blank line at the start for a head without fields", () => {
    assert.deepEqual(lenient("\nhello"), head([], { rest: "hello" }));
  });

  it("refuses nothing at all, and a status that is none", () => {
    for (const output of ["", "Status: abc\n\nx", "A: b\nStatus: 30\n\n", "HTTP/1.1 abc\n\n"]) {
      assert.equal(read([output], false).kind, "bad", output);
    }
  });
});

describe("latin1()", () => {
  it("gives one character for each byte, however many", () => {
    const all = Uint8Array.from({ length: 10_000 }, (_, index) => index % 256);
    assert.deepEqual(bytes(latin1(all)), all);
    assert.equal(latin1(all, 1, 4), "\x01\x02\x03");
  });
});

describe("quote()", () => {
  it("leaves nothing that a terminal would take for more than text", () => {
    assert.equal(quote('a"b\\\r\n\t\x1b[31m\u00e4\u20ac'), '"a\\"b\\\\\\r\\n\\t\\x1b[31m\\xe4\\u20ac"');
  });

  it("cuts long text short", () => {
    assert.equal(quote("x".repeat(100)), `"${"x".repeat(60)}"…`);
  });

  it("is applied to what a script wrote", () => {
    const progress = read(["\x1b]0;evil\x07\n"]);
    assert.equal(
      progress.kind === "bad" && progress.reason,
      'a line that is not a header: "\\x1b]0;evil\\x07"',
    );
  });
});
