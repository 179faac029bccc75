/** What `Network.listen` owes: whoever is being sent much leaves room for others, in every few turns of the event loop. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createShare } from "../../adapters/shared/turns.ts";
import { connect, get } from "../_http.ts";
import { serving } from "./_serving.ts";

/** As long as it takes to send a piece, in milliseconds. */
const PIECE_TIME = 0.25;

test("listen() answers a small request within few turns of those who are being sent much", () =>
  serving(() => new Response("small"), async ({ target }) => {
    const connection = await connect(target);
    let turns = 0;
    let isGoing = true;
    async function sendMuch(): Promise<void> {
      const share = createShare();
      while (isGoing) {
        const end = performance.now() + PIECE_TIME;
        while (performance.now() < end);
        turns++;
        await share.spend(1 << 20);
      }
    }
    const sending = [sendMuch(), sendMuch()];
    const taken: number[] = [];
    for (let request = 0; request < 40; request++) {
      const before = turns;
      await connection.send(get("/"));
      assert.equal((await connection.response()).text, "small");
      taken.push(turns - before);
    }
    isGoing = false;
    await Promise.all(sending);
    connection.close();
    // Both ends are in this process, so a request takes two or three looks at what has come from outside.
    const median = taken.slice(20).sort((a, b) => a - b)[10]!;
    assert.ok(median <= 30, `${median} turns: ${taken}`);
  }));

test("who sends little between the turns of others waits for none of them", async () => {
  const much = createShare();
  const little = createShare();
  for (let piece = 0; piece < 200; piece++) {
    await much.spend(1 << 20);
    assert.equal(little.spend(1000), null, `piece ${piece}`);
  }
  let wait: Promise<void> | null = null;
  for (let piece = 0; piece < 200 && wait === null; piece++) wait = little.spend(1000);
  assert.ok(wait !== null, "who sends on without any turn between leaves none");
  await wait;
});
