/** A handler for each method, on the wire. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { byMethod, serve, staticFiles } from "../mod.ts";
import { exchange, requestHead } from "./_http.ts";

test("each method has its handler, and the others are refused", async () => {
  const handler = byMethod({
    GET: () => new Response("got"),
    PUT: async (request) => new Response(`put ${await request.text()}`),
    PROPFIND: () => new Response("found"),
    DELETE: () => undefined,
  });
  const server = await serve({ port: 0, handler, log() {} });
  const ask = (data: string) => exchange(server.address, data);
  assert.equal((await ask(requestHead("GET", "/"))).text, "got");
  const head = await ask(requestHead("HEAD", "/"));
  assert.deepEqual([head.status, head.raw.length], [200, 0]);
  assert.equal((await ask(`${requestHead("PUT", "/", "Content-Length: 2")}it`)).text, "put it");
  assert.equal((await ask(requestHead("PROPFIND", "/"))).text, "found");
  // Passed on, and nobody comes after it.
  assert.equal((await ask(requestHead("DELETE", "/"))).status, 404);
  const allow = "GET, HEAD, PUT, PROPFIND, DELETE, OPTIONS";
  for (
    const [method, status] of [["OPTIONS", 204], ["POST", 405], ["TRACE", 405], ["REPORT", 501]] as const
  ) {
    const response = await ask(requestHead(method, "/"));
    assert.deepEqual([response.status, response.header("allow")], [status, allow], method);
  }
  await server.close(0);
});

test("HEAD closes the file that GET has opened", async () => {
  const handler = byMethod({ GET: staticFiles({ root: "." }) });
  const response = await handler(new Request("http://localhost/package-lock.json", { method: "HEAD" }));
  assert.equal(response?.status, 200);
  assert.equal(response?.body, null);
});

test("HEAD and OPTIONS may have handlers of their own", async () => {
  const handler = byMethod({
    HEAD: () => new Response(null, { headers: { "x-own": "head" } }),
    OPTIONS: () => new Response("options"),
  });
  const ask = async (method: string) => await handler(new Request("http://localhost/", { method }));
  assert.equal((await ask("HEAD"))?.headers.get("x-own"), "head");
  assert.equal(await (await ask("OPTIONS"))?.text(), "options");
  assert.equal((await ask("GET"))?.headers.get("allow"), "HEAD, OPTIONS");
});

test("a handler that is none is refused when it is given", () => {
  assert.throws(() => byMethod({ GET: "index.html" as never }), {
    name: "TypeError",
    message: "Cannot answer GET: its handler must be a function",
  });
});
