/** What a script's head asks for. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createChunkDecoder } from "../../src/cgi/chunked.ts";
import { conditionalStatus } from "../../src/cgi/conditional.ts";
import { createHeadReader, latin1 } from "../../src/cgi/head.ts";
import { type Answer, mayHaveBody, planResponse, type ResponsePlan } from "../../src/cgi/response.ts";

function plan(head: string, strict = true): ResponsePlan {
  const progress = createHeadReader(strict).push(new TextEncoder().encode(head + "\n\n"));
  assert.ok(progress.kind === "head", JSON.stringify(progress));
  return planResponse(progress.head, strict);
}

function answer(head: string, strict = true): Answer {
  const planned = plan(head, strict);
  assert.ok(planned.kind === "answer", JSON.stringify(planned));
  return planned;
}

function headers(head: string): Record<string, string> {
  return Object.fromEntries(answer(head).headers.toHeaders());
}

describe("planResponse()", () => {
  it("answers 200 to a document", () => {
    const { status, implicit, length } = answer("Content-Type: text/plain");
    assert.deepEqual({ status, implicit, length }, { status: 200, implicit: true, length: null });
  });

  it("answers what Status says, with its text", () => {
    const { status, statusText, implicit } = answer("Status: 418 Short and stout");
    assert.deepEqual({ status, statusText, implicit }, {
      status: 418,
      statusText: "Short and stout",
      implicit: false,
    });
  });

  it("refuses a head that says neither what it is nor where to go", () => {
    for (const head of ["X: y", "Content-Length: 6", "Content-Type:", "Location:\nX: y"]) {
      const planned = plan(head);
      assert.deepEqual(planned, { kind: "bad", reason: "no Content-Type, Status or Location header" }, head);
      assert.equal(plan(head, false).kind, "answer");
    }
  });

  it("guesses no type", () => {
    assert.deepEqual(headers("Status: 200"), {});
  });

  it("redirects with 302, or with the script's own status", () => {
    assert.equal(answer("Location: http://foo.com/").status, 302);
    assert.equal(answer("Location: http://foo.com/\nContent-Type: text/html").status, 302);
    assert.equal(answer("Location: http://foo.com/\nStatus: 308").status, 308);
    assert.deepEqual(headers("Location: http://x/#frag"), { location: "http://x/#frag" });
  });

  for (
    const [location, local] of [
      ["/foo", true],
      ["/", true],
      ["/a/b?x=1&y=%20", true],
      ["//evil.example/p", false],
      ["/\\evil.example", false],
      ["/a\\b", false],
      ["/a b", false],
      ["/\t/evil.example", false],
      ["/a#frag", false],
      ["/\u00e4", false],
      ["relative", false],
      ["?query", false],
      ["http://foo.com/", false],
    ] as const
  ) {
    it(`takes Location: ${JSON.stringify(location)} for ${local ? "a path of this server" : "the client's business"}`, () => {
      const planned = plan(`Location: ${location}`);
      assert.equal(planned.kind, local ? "local-redirect" : "answer");
    });
  }

  it("redirects locally only when there is nothing else", () => {
    for (const other of ["Status: 302", "Content-Type: text/plain", "X: y", "Content-Length: 0"]) {
      const { status } = answer(`Location: /foo\n${other}`);
      assert.equal(status, 302, other);
    }
    const planned = plan("Location: /foo?a=b\nX-Empty:");
    assert.ok(planned.kind === "local-redirect");
    assert.equal(planned.target, "/foo?a=b");
    assert.equal(planned.answer.status, 302);
  });

  it("removes what is about the connection, for the server, or empty", () => {
    const kept = headers(
      "Content-Type: text/plain\nConnection: close, X-Hop\nKeep-Alive: 5\nX-Hop: 1\nUpgrade: x\nTrailer: y\n" +
        "Proxy-Connection: z\nTE: a\nHTTP2-Settings: b\nX-CGI-Foo: 1\nDate: today\nX-Empty:\nX-Kept: 1",
    );
    assert.deepEqual(kept, { "content-type": "text/plain", "x-kept": "1" });
  });

  it("keeps several fields of one name apart", () => {
    const { headers } = answer("Status: 200\nSet-Cookie: a=1\nSet-Cookie: b=2; Path=/, x\nVary: a\nVary: b");
    assert.deepEqual(headers.toHeaders().getSetCookie(), ["a=1", "b=2; Path=/, x"]);
    assert.equal(headers.get("vary"), "a, b");
  });

  it("reads the Content-Length, and keeps it to itself", () => {
    const { length, headers } = answer("Content-Type: a/b\nContent-Length: 0012");
    assert.equal(length, 12);
    assert.equal(headers.get("content-length"), null);
  });

  for (const value of ["abc", "-1", "1.5", "1, 1", "0x10", "9".repeat(20)]) {
    it(`refuses Content-Length: ${value}`, () => {
      for (const strict of [true, false]) {
        const planned = plan(`Content-Type: a/b\nContent-Length: ${value}`, strict);
        assert.ok(planned.kind === "bad");
        assert.match(planned.reason, /^a Content-Length that is no length: "/);
      }
    });
  }

  it("refuses two lengths in any mode, and two types or locations in strict mode", () => {
    assert.equal(plan("Status: 200\nContent-Length: 1\nContent-Length: 2", false).kind, "bad");
    assert.equal(answer("Status: 200\nContent-Length: 1\nContent-Length: 1").length, 1);
    assert.equal(plan("Content-Type: a/b\nContent-Type: c/d").kind, "bad");
    assert.equal(plan("Location: http://a/\nLocation: http://b/").kind, "bad");
    assert.equal(answer("Content-Type: a/b\nContent-Type: c/d", false).headers.get("content-type"), "c/d");
  });

  it("refuses a Transfer-Encoding of an ordinary script", () => {
    for (const strict of [true, false]) {
      const planned = plan("Content-Type: a/b\nTransfer-Encoding: chunked", strict);
      assert.deepEqual(planned, { kind: "bad", reason: 'a Transfer-Encoding header: "chunked"' });
    }
  });

  it("lets a script with a status line write chunks, and nothing else", () => {
    const { chunked, length, headers } = answer(
      "HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\nContent-Length: 5",
    );
    assert.deepEqual({ chunked, length }, { chunked: true, length: null });
    assert.equal(headers.get("transfer-encoding"), null);
    assert.equal(plan("HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked").kind, "bad");
  });

  it("sends a file for X-Sendfile, whatever else is there", () => {
    const planned = plan("X-Sendfile: /srv/a b\nContent-Type: a/b");
    assert.ok(planned.kind === "sendfile");
    assert.equal(planned.path, "/srv/a b");
    assert.equal(planned.answer.headers.get("x-sendfile"), null);
  });

  it("keeps the bytes of a value", () => {
    const progress = createHeadReader(true).push(
      Uint8Array.from("Content-Type: a/b\nX: \u00e4\u0080\n\n", (character) => character.charCodeAt(0)),
    );
    assert.ok(progress.kind === "head");
    const planned = planResponse(progress.head, true);
    assert.ok(planned.kind === "answer");
    assert.equal(planned.headers.get("x"), "\u00e4\u0080");
  });
});

describe("mayHaveBody()", () => {
  it("is false for HEAD, 204, 205 and 304", () => {
    assert.equal(mayHaveBody(200, "GET"), true);
    assert.equal(mayHaveBody(404, "POST"), true);
    assert.equal(mayHaveBody(200, "HEAD"), false);
    for (const status of [204, 205, 304]) assert.equal(mayHaveBody(status, "GET"), false);
  });
});

describe("conditionalStatus()", () => {
  const OLD = "Tue, 02 Jan 2024 03:04:05 GMT";
  function status(head: string, fields: Record<string, string>, method = "GET"): 304 | 412 | null {
    return conditionalStatus(new Request("http://h/", { headers: fields, method }), answer(head));
  }
  const tagged = 'Content-Type: a/b\nETag: "x"';
  const dated = `Content-Type: a/b\nLast-Modified: ${OLD}`;

  it("answers 304 to what the client has", () => {
    assert.equal(status(tagged, { "if-none-match": '"y", W/"x"' }), 304);
    assert.equal(status(dated, { "if-modified-since": OLD }), 304);
    assert.equal(status(dated, { "if-modified-since": OLD }, "HEAD"), 304);
  });

  it("answers 412 to what does not hold", () => {
    assert.equal(status(tagged, { "if-match": '"y"' }), 412);
    assert.equal(status(dated, { "if-unmodified-since": "Mon, 01 Jan 2024 03:04:05 GMT" }), 412);
  });

  it("lets everything else through", () => {
    assert.equal(status(tagged, { "if-none-match": '"y"' }), null);
    assert.equal(status(tagged, {}), null);
    assert.equal(status("Content-Type: a/b", { "if-none-match": "*" }), null);
    assert.equal(status(tagged, { "if-none-match": '"x"' }, "POST"), null);
  });

  it("leaves a script that says 200 its 200", () => {
    assert.equal(status(`Status: 200\nLast-Modified: ${OLD}`, { "if-modified-since": OLD }), null);
  });

  it("does not go by a date in the future, or by none", () => {
    const future = "Fri, 02 Jan 2099 03:04:05 GMT";
    assert.equal(
      status(`Content-Type: a/b\nLast-Modified: ${future}`, { "if-modified-since": future }),
      null,
    );
    assert.equal(status("Content-Type: a/b\nLast-Modified: today", { "if-modified-since": OLD }), null);
  });
});

describe("createChunkDecoder()", () => {
  const ENCODED = 'a\r\n0123456789\r\nA;x="y"\nabcdefghij\n3 \r\nklm\r\n0\r\nTrailer: x\r\n\r\n';
  const DECODED = "0123456789abcdefghijklm";

  function decode(...pieces: string[]): string | null {
    const decoder = createChunkDecoder();
    let text = "";
    for (const piece of pieces) {
      const data = decoder.push(new TextEncoder().encode(piece));
      if (data === null) return null;
      for (const bytes of data) text += latin1(bytes);
    }
    return decoder.isDone() ? text : `${text} and no end`;
  }

  it("decodes chunks, wherever they are split", () => {
    assert.equal(decode(ENCODED), DECODED);
    assert.equal(decode(...ENCODED), DECODED);
    for (let at = 0; at < ENCODED.length; at++) {
      assert.equal(decode(ENCODED.slice(0, at), ENCODED.slice(at)), DECODED);
    }
  });

  it("ignores what comes after the end, and notices when there is none", () => {
    assert.equal(decode(ENCODED + "HTTP/1.1 200 OK\r\n"), DECODED);
    assert.equal(decode(ENCODED.slice(0, -2)), `${DECODED} and no end`);
    assert.equal(decode(""), " and no end");
  });

  for (
    const bad of ["x\r\n", "\r\n", "-1\r\n", "az\r\n", "3\r\nabcd\r\n", "1".repeat(13) + "\r\n", ";x\r\n"]
  ) {
    it(`refuses ${JSON.stringify(bad)}`, () => assert.equal(decode(bad), null));
  }

  it("refuses a line without end", () => {
    assert.equal(decode("1;" + "x".repeat(5000)), null);
  });
});
