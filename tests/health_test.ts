/** The answer to probes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { health } from "../src/health.ts";

async function ask(probe: ReturnType<typeof health>, method = "GET"): Promise<Response> {
  return await probe(new Request("http://localhost/", { method })) ?? assert.fail("passed on");
}

test("200 until it drains, then 503; never from a cache", async () => {
  const probe = health();
  const well = await ask(probe);
  assert.deepEqual([well.status, await well.text()], [200, "ok\n"]);
  assert.equal(well.headers.get("cache-control"), "no-store");
  probe.drain();
  const stopping = await ask(probe);
  assert.deepEqual([stopping.status, await stopping.text()], [503, "stopping\n"]);
});

test("HEAD has no body, another method is 405", async () => {
  const head = await ask(health(), "HEAD");
  assert.deepEqual([head.status, head.headers.get("content-length"), head.body], [200, "3", null]);
  const posted = await ask(health(), "POST");
  assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
});
