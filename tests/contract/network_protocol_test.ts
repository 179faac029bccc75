/** What `Network.listen` owes: an answer to every kind of request, also to those that are no business of a handler's. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { runtime } from "../../adapters/auto.ts";
import { connect, exchange, get, type RawConnection, requestHead } from "../_http.ts";
import { promised, scheme, serving, within } from "./_serving.ts";

const isBun = runtime.name === "bun";

/** Says how it was called. */
const mirror = async (request: Request) =>
  new Response(`${request.method} ${request.url} ${await request.text()}`, {
    headers: { "content-type": "text/plain" },
  });

for (const method of ["BREW", "custom", "GETs", "get", "X".repeat(40)]) {
  test(`listen() answers 501 to the method ${method}, which it does not know`, () =>
    serving(mirror, async ({ target, errors }) => {
      const connection = await connect(target);
      await connection.send(requestHead(method, "/"));
      const response = await connection.response();
      assert.equal(response.status, 501);
      assert.equal(response.header("connection"), "close");
      await connection.ended();
      connection.close();
      assert.deepEqual(errors, []);
    }));
}

test("listen() answers 501 to CONNECT: this is no proxy", () =>
  serving(mirror, async ({ target, errors }) => {
    for (const more of [[], ["Content-Length: 3"]]) {
      const connection = await connect(target);
      await connection.send(requestHead("CONNECT", "example.org:443", ...more));
      assert.equal((await connection.response({ method: "POST" })).status, 501);
      await connection.ended();
      connection.close();
    }
    assert.equal((await exchange(target, get("/"))).status, 200);
    assert.deepEqual(errors, []);
  }));

for (const protocol of ["websocket", "h2c", "anything"]) {
  test(`listen() answers who would upgrade to ${protocol} as if it had not said so`, () =>
    serving(mirror, async ({ target, errors }) => {
      for (const method of ["GET", "POST"]) {
        const connection = await connect(target);
        const body = method === "POST" ? "body" : "";
        await connection.send(
          requestHead(
            method,
            "/x",
            "Host: a",
            "Connection: Upgrade, HTTP2-Settings",
            `Upgrade: ${protocol}`,
            "HTTP2-Settings: AAMAAABkAAQAAP__",
            `Content-Length: ${body.length}`,
          ) + body + get("/lost"),
        );
        const response = await connection.response();
        assert.equal(response.status, 200);
        assert.equal(response.text, `${method} ${scheme}://a/x ${body}`);
        // What was sent behind it is lost in the parser of Node: who sent it is to know, and to ask again.
        assert.equal(response.header("connection"), "close");
        await connection.ended();
        connection.close();
      }
      assert.deepEqual(errors, []);
    }));
}

for (
  const [what, head] of [
    ["a header of 20 KiB", get("/", `X: ${"x".repeat(20_000)}`)],
    ["a target of 100 KiB", get(`/${"x".repeat(100_000)}`)],
    [
      "headers of 20 KiB together",
      get("/", ...Array.from({ length: 20 }, (_, n) => `X${n}: ${"x".repeat(1000)}`)),
    ],
  ] as const
) {
  test(`listen() answers 431 to ${what}`, () =>
    serving(mirror, async ({ target, errors }) => {
      assert.equal((await exchange(target, head)).status, 431);
      assert.deepEqual(errors, []);
    }));
}

test("listen() takes 150 header fields of 12 KiB together", () =>
  serving(mirror, async ({ target }) => {
    const fields = Array.from({ length: 150 }, (_, n) => `X-${n}: ${"x".repeat(72)}`);
    assert.equal((await exchange(target, get("/", ...fields))).status, 200);
  }));

test("listen() takes a thousand header fields, except on Bun", () =>
  serving(mirror, async ({ target }) => {
    const fields = Array.from({ length: 1000 }, () => "A: b");
    assert.equal((await exchange(target, get("/", ...fields))).status, isBun ? 431 : 200);
  }));

test("listen() takes OPTIONS * for a path", () =>
  serving(mirror, async ({ target }) => {
    const response = await exchange(target, requestHead("OPTIONS", "*", "Host: a"));
    assert.equal(response.status, 200);
    assert.equal(response.text, `OPTIONS ${scheme}://a/* `);
  }));

test("listen() takes a second space before the version", () =>
  serving(mirror, async ({ target }) => {
    const response = await exchange(target, "GET /x  HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert.equal(response.status, 200);
    assert.equal(response.text, `GET ${scheme}://a/x `);
  }));

test("listen() keeps the connection of an HTTP/1.0 client that asks for it, except on Bun", () =>
  serving(mirror, async ({ target }) => {
    const connection = await connect(target);
    for (let round = 0; round < 2; round++) {
      await connection.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      const response = await connection.response();
      assert.equal(response.header("connection"), isBun ? "close" : "keep-alive");
      if (isBun) {
        await connection.ended();
        break;
      }
    }
    connection.close();
  }));

test("listen() answers 417 to an expectation that it does not know", () =>
  serving(mirror, async ({ target }) => {
    const response = await exchange(
      target,
      requestHead("POST", "/", "Expect: tea", "Content-Length: 3") + "abc",
    );
    assert.equal(response.status, 417);
  }));

for (
  const [what, body] of [
    ["whose transfer coding is unknown", "Transfer-Encoding: gzip\r\n\r\n"],
    ["whose chunks are malformed", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n"],
  ] as const
) {
  test(`listen() answers 400 to a body ${what}, and tells who reads it that nobody waits`, () => {
    const outcome = promised<readonly [unknown, boolean]>();
    return serving(async (request) => {
      const error = await request.text().catch((error) => error);
      outcome.resolve([error, request.signal.aborted]);
      return new Response("too late");
    }, async ({ target, errors }) => {
      const connection = await connect(target);
      await connection.send(`POST / HTTP/1.1\r\nHost: a\r\n${body}`);
      const response = await connection.response({ method: "POST" });
      assert.equal(response.status, 400);
      assert.equal(response.text, "");
      await connection.ended();
      connection.close();
      const [error, aborted] = await within(outcome.promise, "the handler");
      assert.ok(error instanceof Error);
      assert.equal(aborted, true);
      assert.deepEqual(errors, []);
    });
  });
}

for (
  const request of [
    get("/", "Host: a"),
    requestHead("POST", "/", "Host: a", "Content-Length: 3") + "abc",
  ]
) {
  const method = request.split(" ", 1)[0]!;
  test(`listen() answers each ${method} before it closes because no request follows`, () => {
    const go = promised<void>();
    return serving(async (request) => {
      await go.promise;
      return mirror(request);
    }, async ({ target }) => {
      const connection = await connect(target);
      await connection.send(`${request}${request}no request\r\n\r\n`);
      // By the time that this one is refused, so is the last line of that one.
      assert.ok((await exchange(target, "no request\r\n\r\n")).status >= 400);
      go.resolve();
      for (let count = 0; count < 2; count++) {
        const { status, text } = await connection.response();
        assert.deepEqual([status, text.split(" ", 1)[0]], [200, method]);
      }
      const { status, header } = await connection.response();
      assert.ok(status === 400 || status === 501, `${status}`);
      assert.equal(header("connection"), "close");
      await connection.ended();
      connection.close();
    });
  });
}

test("listen() serves beside a thousand idle connections", () =>
  serving(mirror, async ({ target, listener, errors }) => {
    const idle: RawConnection[] = [];
    for (let batch = 0; batch < 10; batch++) {
      idle.push(...await Promise.all(Array.from({ length: 100 }, () => connect(target))));
    }
    for (const connection of idle.slice(0, 500)) await connection.send(get("/x", "Host: a"));
    for (const connection of idle.slice(0, 500)) {
      assert.equal((await connection.response()).text, `GET ${scheme}://a/x `);
    }
    assert.equal((await exchange(target, get("/", "Host: a"))).text, `GET ${scheme}://a/ `);
    await within(listener.close(), "close()");
    for (const connection of idle) connection.close();
    assert.deepEqual(errors, []);
  }));

test("listen() gives text its media type", () =>
  serving(() => new Response("text"), async ({ target }) => {
    const type = (await exchange(target, get("/"))).header("content-type");
    assert.equal(type?.toLowerCase(), "text/plain;charset=utf-8");
  }));

test("what follows nonsense on a connection does nothing to the requests of others", () =>
  serving(mirror, async ({ target }) => {
    for (let round = 0; round < 10; round++) {
      const broken = await connect(target);
      await broken.send(requestHead("BREW", "/"));
      assert.equal((await broken.response()).status, 501);
      const others = [await connect(target), await connect(target), await connect(target)];
      await broken.send("nonsense\r\n\r\n").catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
      for (const other of others) {
        await other.send(get("/"));
        assert.equal((await other.response()).status, 200);
        other.close();
      }
      broken.close();
    }
  }));
