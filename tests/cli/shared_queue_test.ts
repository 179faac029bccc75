/**
 * One queue for several workers: the line between them is a pair of arrays here.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createQueue, type Place, type Queue } from "../../src/cgi/queue.ts";
import { queueOver, serveQueue } from "../../src/cli/workers/shared_queue.ts";
import type { Line } from "../../src/runtime.ts";

/** Two ends of a line. A message arrives later, as it does between processes. */
function linePair(): [Line, Line] {
  const listeners: [((message: unknown) => void)[], ((message: unknown) => void)[]] = [[], []];
  const end = (own: 0 | 1): Line => ({
    send: (message) =>
      queueMicrotask(() => listeners[own === 0 ? 1 : 0].forEach((listen) => listen(message))),
    onMessage: (callback) => void listeners[own].push(callback),
  });
  return [end(0), end(1)];
}

interface Together {
  readonly queue: Queue;
  readonly workers: readonly { readonly queue: Queue; die(): void }[];
}

function twoWorkers(concurrent: number, waiting: number): Together {
  const queue = createQueue({ concurrent, queue: waiting, perClient: 1, waitMs: Infinity });
  const workers = [0, 1].map(() => {
    const [starter, worker] = linePair();
    let die = (): void => {};
    serveQueue(queue, starter, new Promise<void>((resolve) => die = resolve));
    return { queue: queueOver(worker), die };
  });
  return { queue, workers };
}

function isPlace(outcome: unknown): asserts outcome is Place {
  assert.equal(typeof outcome, "object", String(outcome));
}

/** Lets everything that is under way arrive. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

test("a place that one worker holds is not there for the other", async () => {
  const { workers: [one, two] } = twoWorkers(1, 0);
  const place = await one!.queue.enter("a");
  isPlace(place);
  assert.equal(await two!.queue.enter("b"), "full");
  assert.equal(two!.queue.running, 1);
  assert.equal(two!.queue.retryAfter(), 1);
  place.release();
  place.release();
  const next = await two!.queue.enter("b");
  isPlace(next);
});

test("who waits in one worker gets the place of another", async () => {
  const { queue, workers: [one, two] } = twoWorkers(1, 5);
  const place = await one!.queue.enter("a");
  isPlace(place);
  const waits = two!.queue.enter("b");
  await settled();
  assert.equal(queue.waiting, 1);
  place.release();
  isPlace(await waits);
});

test("who leaves while waiting takes no place", async () => {
  const { queue, workers: [one, two] } = twoWorkers(1, 5);
  const place = await one!.queue.enter("a");
  isPlace(place);
  const leaving = new AbortController();
  const waits = two!.queue.enter("b", leaving.signal);
  await settled();
  leaving.abort();
  assert.equal(await waits, "gone");
  await settled();
  assert.equal(queue.waiting, 0);
  place.release();
  await settled();
  assert.equal(queue.running, 0);
  assert.equal(await two!.queue.enter("b", leaving.signal), "gone");
});

test("who leaves while the place is on its way to them gives it back", async () => {
  const { queue, workers: [one] } = twoWorkers(1, 5);
  const leaving = new AbortController();
  const asked = one!.queue.enter("a", leaving.signal);
  leaving.abort();
  assert.equal(await asked, "gone");
  await settled();
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});

test("a worker that dies holds and awaits nothing any more", async () => {
  const { queue, workers: [one, two] } = twoWorkers(2, 5);
  isPlace(await one!.queue.enter("a"));
  isPlace(await one!.queue.enter("a"));
  one!.queue.enter("a");
  await settled();
  assert.deepEqual([queue.running, queue.waiting], [2, 1]);
  const waits = two!.queue.enter("b");
  one!.die();
  isPlace(await waits);
  await settled();
  assert.deepEqual([queue.running, queue.waiting], [1, 0]);
});

test("a closed queue sends away who waits and who comes", async () => {
  const { queue, workers: [one] } = twoWorkers(1, 5);
  const place = await one!.queue.enter("a");
  isPlace(place);
  const waits = one!.queue.enter("b");
  await settled();
  one!.queue.close();
  assert.equal(await waits, "closed");
  assert.equal(one!.queue.refusal("c"), "closed");
  assert.equal(await one!.queue.enter("c"), "closed");
  await settled();
  assert.deepEqual([queue.running, queue.waiting], [1, 0]);
  place.release();
  await settled();
  assert.equal(queue.running, 0);
});
