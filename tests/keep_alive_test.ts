/**
 * Connections on which nothing happens any more are closed, and no others.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { listen } from "../adapters/shared/node_http/listener.ts";
import { connect, get } from "./_http.ts";
import "./_runtime.ts";

test("a connection is closed once it was not used for a while, and not while it is", async (t) => {
  let answer = (_response: Response): void => {};
  const listener = await listen(
    (request) =>
      request.url.endsWith("/slow") ? new Promise((resolve) => answer = resolve) : new Response("ok"),
    { hostname: "127.0.0.1", port: 0 },
    { times: { keepAlive: 260, head: 60_000 } },
  );
  t.after(() => listener.close(0));
  const idle = await connect(listener.address);
  const used = await connect(listener.address);
  const slow = await connect(listener.address);
  await slow.send(get("/slow"));
  await idle.send(get("/"));
  const begun = performance.now();
  assert.equal((await idle.response()).text, "ok");
  let isClosed = false;
  const closed = idle.ended().then(() => isClosed = true);
  while (!isClosed) {
    await used.send(get("/"));
    assert.equal((await used.response()).text, "ok");
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  assert.ok(performance.now() - begun > 200);
  answer(new Response("at last"));
  assert.equal((await slow.response()).text, "at last");
  for (const connection of [idle, used, slow]) connection.close();
});
