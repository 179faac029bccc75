/** What `Network.listen` owes: requests reach the handler whole, unchanged and only as they are read. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { runtime } from "../../adapters/auto.ts";
import type { Connection, Handler } from "../../src/handler.ts";
import { requestUrl } from "../../src/request_path.ts";
import { respond } from "../../src/response.ts";
import { chunk, concat, connect, exchange, get, requestHead, toBytes } from "../_http.ts";
import { promised, scheme, serving, within } from "./_serving.ts";

/** Answers with what it was asked, as JSON. */
const mirror: Handler = async (request, connection) => {
  const url = requestUrl(request);
  return Response.json({
    method: request.method,
    path: url.pathname,
    query: url.search,
    host: url.host,
    headers: [...request.headers],
    body: await request.text(),
    connection,
  });
};

interface Mirrored {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly headers: readonly [string, string][];
  readonly body: string;
  readonly connection: Connection;
}

function mirrored(text: string): Mirrored {
  return JSON.parse(text);
}

function headerOf({ headers }: Mirrored, name: string): string | undefined {
  return headers.find(([key]) => key === name)?.[1];
}

test("listen() gives method, path, query and headers as they were sent", () =>
  serving(mirror, async ({ target }) => {
    const { status, text } = await exchange(
      target,
      get("/a%20b/c?x=1&y=%2F", "Host: Example.org:81", "X-One: 1", "x-two:  2  "),
    );
    const seen = mirrored(text);
    assert.equal(status, 200);
    assert.equal(seen.method, "GET");
    assert.equal(seen.path, "/a%20b/c");
    assert.equal(seen.query, "?x=1&y=%2F");
    assert.equal(seen.host, "example.org:81");
    assert.equal(headerOf(seen, "x-one"), "1");
    assert.equal(headerOf(seen, "x-two"), "2");
    assert.equal(headerOf(seen, "host"), "Example.org:81");
  }));

test("listen() joins repeated headers with a comma, cookies with a semicolon", () =>
  serving(mirror, async ({ target }) => {
    const { text } = await exchange(
      target,
      get("/", "Accept: a", "X-Many: 1", "Cookie: a=1", "X-Many: 2", "Accept: b", "Cookie: b=2"),
    );
    const seen = mirrored(text);
    assert.equal(headerOf(seen, "x-many"), "1, 2");
    assert.equal(headerOf(seen, "accept"), "a, b");
    assert.equal(headerOf(seen, "cookie"), "a=1; b=2");
  }));

test("listen() gives header values byte for byte as ISO 8859-1", () =>
  serving(mirror, async ({ target }) => {
    const bytes = concat([
      toBytes("GET / HTTP/1.1\r\nHost: x\r\nX-Name: caf"),
      Uint8Array.of(0xe9, 0x2c, 0xff),
      toBytes("\r\n\r\n"),
    ]);
    const seen = mirrored((await exchange(target, bytes)).text);
    assert.equal(headerOf(seen, "x-name"), "caf\xe9,\xff");
  }));

test("listen() tells both ends of the connection, its security and its protocol", () =>
  serving(mirror, async ({ target }) => {
    const connection = await connect(target);
    await connection.send(get("/"));
    const seen = mirrored((await connection.response()).text).connection;
    assert.deepEqual(seen.local, { hostname: "127.0.0.1", port: target.port });
    assert.deepEqual(seen.remote, { hostname: "127.0.0.1", port: connection.socket.localPort });
    assert.equal(seen.secure, scheme === "https");
    assert.equal(seen.protocol, "HTTP/1.1");
    connection.close();
    const old = mirrored((await exchange(target, "GET / HTTP/1.0\r\n\r\n")).text).connection;
    assert.equal(old.protocol, "HTTP/1.0");
  }));

for (
  const [sent, path] of [
    ["/../etc/passwd", "/etc/passwd"],
    ["/a/../../b", "/b"],
    ["/%2e%2e/%2E%2e/b", "/b"],
    ["/a/./b//c", "/a/b//c"],
    ["/..\\..\\b", "/b"],
    ["/a%5c..%5cb", "/a%5c..%5cb"],
    ["/a%2f..%2fb", "/a%2f..%2fb"],
    ["/a%00b", "/a%00b"],
    ["/a%zzb", "/a%zzb"],
    ["//evil.example/x", "//evil.example/x"],
    ["///x", "///x"],
    ["/x:y@z", "/x:y@z"],
    ["/a;b=c", "/a;b=c"],
    ["/a|b", "/a|b"],
  ] as const
) {
  test(`listen() lets requestUrl() see ${path} in the target ${sent}`, () =>
    serving(mirror, async ({ target }) => {
      const { status, text } = await exchange(target, get(sent));
      assert.equal(status, 200);
      assert.equal(mirrored(text).path, path);
    }));
}

test("listen() understands the absolute form of a target", () =>
  serving(mirror, async ({ target }) => {
    const { status, text } = await exchange(target, get("http://example.org/x?y=1", "Host: localhost"));
    const seen = mirrored(text);
    assert.equal(status, 200);
    assert.equal(seen.path, "/x");
    assert.equal(seen.query, "?y=1");
    assert.equal(seen.host, "example.org");
  }));

test("listen() refuses bytes above ASCII in a target with 400: RFC 3986 has none", () =>
  serving(mirror, async ({ target }) => {
    const bytes = concat([
      toBytes("GET /caf"),
      Uint8Array.of(0xc3, 0xa9),
      toBytes(" HTTP/1.1\r\nHost: x\r\n\r\n"),
    ]);
    assert.equal((await exchange(target, bytes)).status, 400);
  }));

test("listen() serves HTTP/1.0, with and without a Host field, and closes", () =>
  serving(mirror, async ({ target }) => {
    for (const host of ["", "Host: example.org\r\n"]) {
      const connection = await connect(target);
      await connection.send(`GET /x?y HTTP/1.0\r\n${host}\r\n`);
      const response = await connection.response();
      const seen = mirrored(response.text);
      assert.equal(response.status, 200);
      assert.equal(seen.path, "/x");
      assert.equal(seen.query, "?y");
      assert.equal(await connection.ended(), "fin");
      connection.close();
    }
  }));

for (
  const [what, head] of [
    ["without a Host field", "GET / HTTP/1.1\r\n\r\n"],
    ["with two Host fields", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
    ["with a path in its Host field", "GET /x HTTP/1.1\r\nHost: a/secret?\r\n\r\n"],
    ["with a user in its Host field", "GET /x HTTP/1.1\r\nHost: a@b\r\n\r\n"],
    ["with a space in its Host field", "GET /x HTTP/1.1\r\nHost: a b\r\n\r\n"],
    ["with a port that is none", "GET /x HTTP/1.1\r\nHost: a:99999\r\n\r\n"],
    ["with an address that is none", "GET /x HTTP/1.1\r\nHost: [::1\r\n\r\n"],
    ["with a malformed header", "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"],
    ["with two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
  ] as const
) {
  test(`listen() refuses a request ${what} with 400`, () => {
    let called = false;
    return serving((request, connection) => {
      called = true;
      return mirror(request, connection);
    }, async ({ target }) => {
      const response = await exchange(target, head);
      assert.equal(response.status, 400, response.text);
      assert.equal(called, false);
    });
  });
}

test("listen() hands over every registered method", () =>
  serving(mirror, async ({ target }) => {
    for (const method of ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"]) {
      const response = await exchange(target, requestHead(method, "/", "Content-Length: 0"));
      assert.equal(response.status, 200, method);
      if (method !== "HEAD") assert.equal(mirrored(response.text).method, method);
    }
  }));

for (
  const [what, headers, body] of [
    ["of a known length", ["Content-Length: 9"], toBytes("some text")],
    ["in chunks", ["Transfer-Encoding: chunked"], concat([chunk("some "), chunk("text"), chunk()])],
  ] as const
) {
  test(`listen() gives a body ${what}`, () =>
    serving(mirror, async ({ target }) => {
      const { text } = await exchange(target, concat([toBytes(requestHead("POST", "/", ...headers)), body]));
      assert.equal(mirrored(text).body, "some text");
    }));
}

for (const headers of [[], ["Content-Length: 0"]]) {
  test(`listen() gives an empty body as such (${headers[0] ?? "no headers"})`, () =>
    serving(mirror, async ({ target }) => {
      const { text } = await exchange(target, requestHead("POST", "/", ...headers));
      assert.equal(mirrored(text).body, "");
    }));
}

test("listen() hands over a Request that can be copied", () =>
  serving(async (request) => {
    assert.ok(request instanceof Request);
    const clone = request.clone();
    const copy = new Request(clone);
    const moved = new Request("http://elsewhere/y", new Request(request.clone()));
    assert.equal(copy.method, "POST");
    assert.equal(copy.headers.get("x-one"), "1");
    assert.equal(moved.url, "http://elsewhere/y");
    assert.equal(request.bodyUsed, false);
    assert.equal(await copy.text(), "body");
    assert.equal(await moved.text(), "body");
    assert.equal(await request.text(), "body");
    assert.equal(request.bodyUsed, true);
    return new Response("fine");
  }, async ({ target, errors }) => {
    const response = await exchange(
      target,
      requestHead("POST", "/", "Content-Length: 4", "X-One: 1") + "body",
    );
    assert.deepEqual(errors, []);
    assert.equal(response.text, "fine");
  }));

test("listen() streams a body both ways at the same time", () =>
  serving((request) => new Response(request.body), async ({ target }) => {
    const connection = await connect(target);
    await connection.send(requestHead("POST", "/", "Transfer-Encoding: chunked"));
    await connection.send(chunk("one"));
    await connection.head();
    await connection.received(chunk("one").length);
    await connection.send(chunk("two"));
    await connection.received(2 * chunk("two").length);
    await connection.send(chunk());
    await connection.received(2 * chunk("two").length + chunk().length);
    connection.close();
  }));

test("listen() echoes 32 MiB", () =>
  serving((request) => new Response(request.body), async ({ target }) => {
    const body = new Uint8Array(32 << 20);
    for (let at = 0; at < body.length; at += 4093) body[at] = at;
    const head = toBytes(requestHead("POST", "/", `Content-Length: ${body.length}`));
    const response = await exchange(target, concat([head, body]));
    assert.equal(response.complete, true);
    assert.deepEqual(response.body, body);
  }));

test("listen() finds the end of each of many bodies that come right after each other", () => {
  const COMMAND = toBytes("\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
  /** Like requests, and different in each place. */
  const content = (length: number) =>
    Uint8Array.from({ length }, (_, at) => at % 97 < COMMAND.length ? COMMAND[at % 97]! : at >> 3);
  const lengths = [1, 3_000_000, 70_000, 262_144, 524_289, 1_500_000, 0, 2_000_001];
  const bytes = concat(
    lengths.flatMap((length, index) =>
      index === 5
        ? [
          toBytes(requestHead("POST", `/${length}`, "Transfer-Encoding: chunked")),
          chunk(content(length)),
          chunk(),
        ]
        : [toBytes(requestHead("POST", `/${length}`, `Content-Length: ${length}`)), content(length)]
    ),
  );
  const handler: Handler = async (request) => {
    const path = requestUrl(request).pathname;
    const expected = content(Number(path.slice(1)));
    let at = 0;
    for await (const piece of request.body ?? []) {
      for (const byte of piece) {
        if (byte !== expected[at++]) return new Response(`${path}: wrong at ${at - 1}`);
      }
      // A body waits, and the next one behind it.
      await new Promise((turn) => setImmediate(turn));
    }
    return new Response(`${path}: ${at === expected.length ? "right" : at}`);
  };
  return serving(handler, async ({ target }) => {
    const connection = await connect(target);
    const sending = (async () => {
      for (let at = 0; at < bytes.length; at += 333_333) {
        await connection.send(bytes.subarray(at, at + 333_333));
      }
    })();
    for (const length of lengths) {
      const { text } = await connection.response();
      assert.equal(text, `/${length}: right`);
    }
    await sending;
    connection.close();
  });
});

test("listen() reads no more of a body than the handler takes", () => {
  const go = promised<void>();
  return serving(async (request) => {
    await go.promise;
    let length = 0;
    for await (const piece of request.body!) length += piece.length;
    return new Response(String(length));
  }, async ({ target }) => {
    const total = 96 << 20;
    const connection = await connect(target);
    await connection.send(requestHead("POST", "/", `Content-Length: ${total}`));
    const send = async () => {
      // One large write would count as nothing until all of it is done.
      for (let left = total; left > 0; left -= 1 << 20) await connection.send(new Uint8Array(1 << 20));
    };
    const sent = send();
    const stalled = await stall(() => connection.socket.bytesWritten - connection.socket.writableLength);
    assert.ok(stalled > 0 && stalled < total / 2, `${stalled} bytes were taken of a body that nobody reads`);
    go.resolve();
    await sent;
    assert.equal((await connection.response()).text, String(total));
    connection.close();
  });
});

/** The value, once it has not changed for a while. There is no event for nothing happening. */
async function stall(value: () => number): Promise<number> {
  let last = -1;
  while (last !== value()) {
    last = value();
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return last;
}

test("listen() sends 100 Continue when the body is first read, and not before", () => {
  const asked = promised<void>();
  const go = promised<void>();
  return serving(async (request) => {
    asked.resolve();
    await go.promise;
    return new Response(await request.text());
  }, async ({ target }) => {
    const connection = await connect(target);
    await connection.send(requestHead("POST", "/", "Content-Length: 4", "Expect: 100-continue"));
    await within(asked.promise, "the request");
    assert.equal(connection.take().length, 0);
    go.resolve();
    await connection.received(1);
    await connection.send("body");
    const response = await connection.response();
    assert.deepEqual(response.interim, ["HTTP/1.1 100 Continue"]);
    assert.equal(response.text, "body");
    connection.close();
  });
});

test("listen() answers without 100 Continue where the body is not read", () =>
  serving(() => new Response("no", { status: 413 }), async ({ target }) => {
    const connection = await connect(target);
    await connection.send(requestHead("POST", "/", "Content-Length: 4", "Expect: 100-continue"));
    const response = await connection.response();
    assert.equal(response.status, 413);
    assert.deepEqual(response.interim, []);
    // It cannot be known any more whether what comes next is the body or a request.
    await connection.ended();
    connection.close();
  }));

for (const method of ["POST", "GET"]) {
  test(`listen() answers in spite of a body of ${method} that is not read, and keeps the connection`, () =>
    serving(() => respond(200, new Headers(), "fine"), async ({ target }) => {
      const connection = await connect(target);
      for (let round = 0; round < 3; round++) {
        await connection.send(requestHead(method, "/", "Content-Length: 5000") + "x".repeat(5000));
        assert.equal((await connection.response()).text, "fine");
      }
      connection.close();
    }));
}

test("listen() gets its response through to a client that is still sending", () =>
  serving(() => new Response("too much", { status: 413 }), async ({ target }) => {
    const connection = await connect(target);
    await connection.send(requestHead("POST", "/", `Content-Length: ${1 << 30}`));
    const piece = new Uint8Array(1 << 20);
    const sending = (async () => {
      for (let round = 0; round < 16; round++) await connection.send(piece);
    })().catch(() => {});
    const response = await connection.response();
    assert.equal(response.status, 413);
    assert.equal(response.text, "too much");
    await sending;
    connection.close();
  }));

for (const [isChunked, more] of [[false, []], [true, []], [true, ["Connection: close"]]] as const) {
  const name = `${isChunked ? "chunked body" : "body of 5 MiB"}${more.length > 0 ? ", the last one," : ""}`;
  test(`listen() does not reset the connection over a ${name} that nobody reads`, () =>
    serving(() => new Response("no, thanks"), async ({ target }) => {
      const connection = await connect(target);
      const length = 5 << 20;
      const framing = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`;
      await connection.send(requestHead("POST", "/", framing, ...more));
      if (isChunked) await connection.send(`${length.toString(16)}\r\n`);
      await connection.send(new Uint8Array(length / 2));
      const response = await connection.response();
      assert.equal(response.text, "no, thanks");
      // Only a length says so much beforehand.
      if (!isChunked) assert.equal(response.header("connection"), "close");
      // A reset would make a client's system forget the response that it has not read yet (RFC 9112 section 9.6).
      const rest = async () => {
        for (let sent = length / 2; sent < length; sent += 1 << 16) {
          await connection.send(new Uint8Array(1 << 16));
        }
      };
      // Bun closes by itself after the response that a client has said is to be the last; and as a client over TLS, when
      // the server has ended its side.
      if (runtime.name === "bun" && (more.length > 0 || scheme === "https")) await rest().catch(() => {});
      else {
        await rest();
        assert.equal(await connection.ended(), "fin");
      }
      connection.close();
    }));
}

test("listen() keeps the connection after a body of 500 KiB that nobody reads", () =>
  serving(() => new Response("no, thanks"), async ({ target }) => {
    const connection = await connect(target);
    for (let round = 0; round < 2; round++) {
      await connection.send(requestHead("POST", "/", "Content-Length: 500000"));
      const response = await connection.response();
      assert.notEqual(response.header("connection"), "close");
      await connection.send(new Uint8Array(500_000));
    }
    connection.close();
  }));

test("listen() fails the body of a client that leaves in the middle of it", () => {
  const outcome = promised<unknown>();
  return serving(async (request) => {
    try {
      outcome.resolve(await request.text());
    } catch (error) {
      outcome.resolve(error);
    }
    return new Response("nobody is there");
  }, async ({ target }) => {
    const connection = await connect(target);
    await connection.send(requestHead("POST", "/", "Content-Length: 10") + "half");
    connection.close();
    assert.ok(await within(outcome.promise, "the handler") instanceof Error);
  });
});

test("listen() ends the connection over a body whose chunks are malformed, and fails the body", () => {
  const outcome = promised<unknown>();
  return serving(async (request) => {
    await request.text().catch(outcome.resolve);
    return new Response("fine");
  }, async ({ target }) => {
    const connection = await connect(target);
    await connection.send(requestHead("POST", "/", "Transfer-Encoding: chunked") + "3\r\nabc\r\nzz\r\n");
    await connection.ended();
    connection.close();
    assert.ok(await within(outcome.promise, "the handler") instanceof Error);
  });
});
