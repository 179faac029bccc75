/** Headers on every response. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { withHeaders } from "../src/with_headers.ts";

const request = new Request("http://localhost/");

async function headersOf(
  headers: Parameters<typeof withHeaders>[0],
  make: () => Response,
): Promise<Headers> {
  const response = await withHeaders(headers, make)(request);
  return response?.headers ?? assert.fail("no response");
}

test("they take the place of what is there, and are there when nothing is", async () => {
  const given = { "X-A": "b:c", "Cache-Control": "no-store" };
  const headers = await headersOf(
    given,
    () => new Response("", { headers: { "cache-control": "max-age=5" } }),
  );
  assert.equal(headers.get("x-a"), "b:c");
  assert.equal(headers.get("cache-control"), "no-store");
});

test("several values for one name stand together; an empty one is sent", async () => {
  const headers = await headersOf([["X-A", "1"], ["x-a", "2"], ["X-Empty", ""]], () => new Response());
  assert.equal(headers.get("x-a"), "1, 2");
  assert.equal(headers.get("x-empty"), "");
});

test("Vary and Set-Cookie are added to, once", async () => {
  const response = new Response("", { headers: [["vary", "accept"], ["set-cookie", "theirs=1"]] });
  const handler = withHeaders(
    [["Vary", "Accept, Origin"], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]],
    () => response,
  );
  await handler(request);
  const headers = (await handler(request))?.headers;
  assert.equal(headers?.get("vary"), "accept, Origin");
  assert.deepEqual(headers?.getSetCookie(), ["theirs=1", "a=1", "b=2"]);
});

test("a response whose headers cannot be changed is copied, with its status and body", async () => {
  const headers = await headersOf({ "X-A": "b" }, () => Response.redirect("http://localhost/there", 307));
  assert.equal(headers.get("x-a"), "b");
  assert.equal(headers.get("location"), "http://localhost/there");
});

test("what is passed on is passed on", async () => {
  assert.equal(await withHeaders({ "X-A": "b" }, () => undefined)(request), undefined);
});

test("what cannot be sent, and what only the server knows, is refused at once", () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["X-A", "b\r\nSet-Cookie: c"],
    ["X-A", "b\n"],
    ["X-A\r\nX-B", "c"],
    ["no colon", "b"],
    ["", "b"],
    ["Content-Length", "5"],
    ["Transfer-Encoding", "chunked"],
    ["connection", "close"],
    ["Content-Type", "text/html"],
    ["Content-Encoding", "gzip"],
  ];
  for (const field of wrong) {
    assert.throws(() => withHeaders([field], () => undefined), TypeError, JSON.stringify(field));
  }
});
