/** What no handler is asked: it is answered like everything else, with the headers of every response. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { runtime } from "../adapters/auto.ts";
import { toNodeListener } from "../adapters/node.ts";
import { serve, type Server } from "../src/serve.ts";
import { connect, get, requestHead } from "./_http.ts";

const HEADERS: readonly (readonly [string, string])[] = [
  ["X-Everywhere", "yes"],
  ["Set-Cookie", "a=1"],
  ["Set-Cookie", "b=2"],
];

let server: Server;
let asked = 0;
before(async () => {
  server = await serve({
    port: 0,
    headers: HEADERS,
    log() {},
    handler: async (request) => {
      asked++;
      return new Response(await request.text());
    },
  });
});
after(() => server.close(0));

const post = (...fields: string[]) => requestHead("POST", "/", "Host: a", ...fields);

const CASES: readonly (readonly [what: string, request: string, status: number])[] = [
  ["bytes that are no request", "GARBAGE\r\n\r\n", 400],
  ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["a wrong host", get("/", "Host: a b"), 400],
  ["two lengths", post("Content-Length: 1", "Content-Length: 2") + "ab", 400],
  ["chunks in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  ["an expectation that is unknown", post("Expect: tea", "Content-Length: 3") + "abc", 417],
  ["a head that is too large", get("/", `X: ${"x".repeat(70_000)}`), 431],
  ["a method that is unknown", requestHead("BREW", "/"), 501],
  ["CONNECT", requestHead("CONNECT", "a:1"), 501],
  ...(runtime.name === "node"
    ? [
      [
        "a chunk extension that is too large",
        `${post("Transfer-Encoding: chunked")}3;${"e".repeat(20_000)}`,
        413,
      ] as const,
    ]
    : []),
];

for (const [what, request, status] of CASES) {
  test(`${what}: ${status} with the headers of every response, a date and a page`, async () => {
    const { hostname, port } = server.address;
    const connection = await connect({ hostname, port });
    await connection.send(request);
    // CONNECT and what is no method have no other bodies.
    const response = await connection.response({ method: "POST" });
    assert.equal(response.status, status);
    assert.equal(response.header("x-everywhere"), "yes");
    const cookies = response.headers.filter(([name]) => name.toLowerCase() === "set-cookie");
    assert.deepEqual(cookies.map(([, value]) => value), ["a=1", "b=2"]);
    assert.ok(Math.abs(Date.parse(response.header("date") ?? "") - Date.now()) < 5000);
    assert.equal(response.header("connection"), "close");
    assert.equal(response.header("content-type"), "text/html; charset=utf-8");
    assert.match(response.text, new RegExp(`<title>${status} `));
    await connection.ended();
    connection.close();
  });
}

test("the answer to HEAD has no body", async () => {
  const { hostname, port } = server.address;
  const connection = await connect({ hostname, port });
  await connection.send(requestHead("HEAD", "/", "Host: a b"));
  const { status, header, text } = await connection.response({ method: "HEAD" });
  assert.deepEqual([status, header("x-everywhere"), text], [400, "yes", ""]);
  await connection.ended();
  assert.equal(connection.take().length, 0);
  connection.close();
});

test("no handler was asked, but for a body that broke off later", () => assert.ok(asked <= 1));

test("a page of one's own is shown, and the default one where making it fails", async () => {
  for (const fails of [false, true]) {
    const own = await serve({
      port: 0,
      log() {},
      handler: () => new Response(),
      renderError({ status }) {
        if (fails) throw new Error("no page");
        return new Response(`my own ${status}`, { status, headers: { "x-own": "yes" } });
      },
    });
    try {
      const connection = await connect(own.address);
      await connection.send("GARBAGE\r\n\r\n");
      const response = await connection.response();
      assert.equal(response.status, 400);
      assert.equal(response.header("x-own"), fails ? null : "yes");
      assert.match(response.text, fails ? /<title>400 Bad Request/ : /^my own 400$/);
      connection.close();
    } finally {
      await own.close(0);
    }
  }
});

test("toNodeListener() refuses a wrong host with the headers of every response", async () => {
  const listener = toNodeListener(() => new Response(), { headers: { "x-everywhere": "yes" }, log() {} });
  const server = createServer({ requireHostHeader: false }, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const connection = await connect({ hostname: "127.0.0.1", port: (server.address() as AddressInfo).port });
  await connection.send(get("/", "Host: a b"));
  const response = await connection.response();
  assert.deepEqual([response.status, response.header("x-everywhere")], [400, "yes"]);
  connection.close();
  await new Promise((resolve) => server.close(resolve));
});
