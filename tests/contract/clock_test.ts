/** What the clock owes: it is that of `performance.now()`, on every runtime. */

import assert from "node:assert/strict";
import { test } from "node:test";
import "../../adapters/auto.ts";
import { now } from "../../src/clock.ts";

test("now() begins where performance.now() does, but for what it took to look at both", () => {
  const differences = Array.from({ length: 101 }, () => Math.abs(performance.now() - now()));
  const median = differences.sort((a, b) => a - b)[50]!;
  assert.ok(median < 100, `${median} ms`);
});

test("now() does not go back", () => {
  let last = now();
  for (let count = 0; count < 10_000; count++) {
    const next = now();
    assert.ok(next >= last, `${next} after ${last}`);
    last = next;
  }
});
