/** A head that does not come in time is answered 408, and nothing else is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { listen, type Means } from "../adapters/shared/node_http/listener.ts";
import { connect, get, requestHead } from "./_http.ts";
import { runtime } from "./_runtime.ts";

const means: Means = runtime.name === "bun"
  ? (await import("../adapters/bun/network.ts")).means
  : { skipsParser: runtime.name === "node" };

test("a head that is too late is answered 408, in pieces or not; a body may take longer", async (t) => {
  const listener = await listen(
    async (request) => new Response(await request.text()),
    {
      hostname: "127.0.0.1",
      port: 0,
      refuse: (status) =>
        Promise.resolve({ status, headers: { "x-a": "b" }, body: new TextEncoder().encode("too late") }),
    },
    { ...means, times: { keepAlive: 65_000, head: 400 } },
  );
  t.after(() => listener.close(0));
  const [late, dribbling, uploading, used, silent] = await Promise.all(
    Array.from({ length: 5 }, () => connect(listener.address)),
  );
  await uploading!.send(requestHead("POST", "/", "Content-Length: 2") + "a");
  // What is asked again and again is not parsed again and again, on a runtime where that costs more.
  const ask = async () => {
    await used!.send(get("/"));
    assert.equal((await used!.response()).status, 200);
  };
  await ask();
  const head = get("/", `X-Long: ${"x".repeat(1000)}`);
  await late!.send(head.slice(0, -2));
  let at = 0;
  const dribble = setInterval(() => dribbling!.send(head.slice(at, ++at)).catch(() => {}), 20);
  t.after(() => clearInterval(dribble));
  for (const connection of [late!, dribbling!]) {
    let isAnswered = false;
    const answer = connection.response().finally(() => isAnswered = true);
    while (!isAnswered) await ask();
    const { status, text, headers } = await answer;
    assert.deepEqual([status, text], [408, "too late"]);
    const fields = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
    assert.deepEqual([fields.get("x-a"), fields.get("connection")], ["b", "close"]);
    clearInterval(dribble);
    await connection.ended();
  }
  await silent!.ended();
  await uploading!.send("b");
  assert.equal((await uploading!.response({ method: "POST" })).text, "ab");
  await ask();
  for (const connection of [late, dribbling, uploading, used]) connection!.close();
});
