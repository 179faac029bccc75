/** Who may run, who waits, who is sent away. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createQueue, type Place, type QueueOptions } from "../../src/cgi/queue.ts";

const OPTIONS: QueueOptions = { concurrent: 2, queue: 2, perClient: 1, waitMs: Infinity };

function isPlace(outcome: unknown): asserts outcome is Place {
  assert.equal(typeof (outcome as Place)?.release, "function", `${JSON.stringify(outcome)} is no place`);
}

/** Whether a promise is settled by now. */
async function isSettled(promise: unknown): Promise<boolean> {
  return await Promise.race([Promise.resolve(promise).then(() => true), Promise.resolve(false)]);
}

describe("createQueue()", () => {
  it("gives places at once while there are any", () => {
    const queue = createQueue(OPTIONS);
    isPlace(queue.enter("a"));
    isPlace(queue.enter("a"));
    assert.deepEqual([queue.running, queue.waiting], [2, 0]);
  });

  it("lets the others wait, in the order of their coming", async () => {
    const queue = createQueue(OPTIONS);
    const first = queue.enter("a");
    const second = queue.enter("a");
    isPlace(first);
    isPlace(second);
    const third = queue.enter("b");
    const fourth = queue.enter("c");
    assert.equal(queue.waiting, 2);
    first.release();
    isPlace(await third);
    assert.equal(await isSettled(fourth), false);
    second.release();
    isPlace(await fourth);
    assert.deepEqual([queue.running, queue.waiting], [2, 0]);
  });

  it("sends away who would wait too far back", () => {
    const queue = createQueue({ ...OPTIONS, concurrent: 1, queue: 1 });
    queue.enter("a");
    assert.equal(queue.refusal("a"), null);
    void queue.enter("a");
    assert.equal(queue.refusal("a"), "full");
    assert.equal(queue.enter("a"), "full");
  });

  it("sends all away who cannot run at once where the queue is 0", () => {
    const queue = createQueue({ ...OPTIONS, concurrent: 1, queue: 0, perClient: 1 });
    isPlace(queue.enter("a"));
    assert.equal(queue.enter("a"), "full");
  });

  it("counts a release once", () => {
    const queue = createQueue(OPTIONS);
    const place = queue.enter("a");
    queue.enter("a");
    isPlace(place);
    place.release();
    place.release();
    assert.equal(queue.running, 1);
  });

  it("ends the wait after its limit", async () => {
    const queue = createQueue({ ...OPTIONS, concurrent: 1, waitMs: 20 });
    const place = queue.enter("a");
    assert.equal(await queue.enter("a"), "late");
    assert.equal(queue.waiting, 0);
    isPlace(place);
    place.release();
    isPlace(queue.enter("a"));
  });

  it("forgets a client that leaves", async () => {
    const queue = createQueue({ ...OPTIONS, concurrent: 1 });
    const place = queue.enter("a");
    const gone = new AbortController();
    const leaving = queue.enter("b", gone.signal);
    const staying = queue.enter("c");
    gone.abort();
    assert.equal(await leaving, "gone");
    isPlace(place);
    place.release();
    isPlace(await staying);
    assert.equal(queue.enter("d", gone.signal), "gone");
  });

  it("keeps no listener on a client that got its place", async () => {
    const queue = createQueue({ ...OPTIONS, concurrent: 1 });
    const place = queue.enter("a");
    const client = new AbortController();
    let listeners = 0;
    const { signal } = client;
    const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
    const remove = signal.removeEventListener.bind(signal) as (...args: unknown[]) => void;
    signal.addEventListener = (...args: unknown[]) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      listeners -= 1;
      remove(...args);
    };
    const waiting = queue.enter("b", signal);
    assert.equal(listeners, 1);
    isPlace(place);
    place.release();
    isPlace(await waiting);
    assert.equal(listeners, 0);
  });

  it("leaves room for others beside a client that has its share", async () => {
    const queue = createQueue({ ...OPTIONS, concurrent: 4, queue: 4, perClient: 0.5 });
    const first = queue.enter("greedy");
    isPlace(first);
    isPlace(queue.enter("greedy"));
    const third = queue.enter("greedy");
    const fourth = queue.enter("greedy");
    assert.equal(queue.enter("greedy"), "full");
    isPlace(queue.enter("modest"));
    assert.equal(await isSettled(third), false);
    first.release();
    isPlace(await third);
    assert.equal(await isSettled(fourth), false);
  });

  it("lets the next in line pass one who has his share", async () => {
    const queue = createQueue({ ...OPTIONS, concurrent: 2, queue: 4, perClient: 0.5 });
    const greedy = queue.enter("greedy");
    const modest = queue.enter("modest");
    isPlace(greedy);
    isPlace(modest);
    const waiting = queue.enter("greedy");
    const other = queue.enter("other");
    modest.release();
    isPlace(await other);
    assert.equal(await isSettled(waiting), false);
    greedy.release();
    isPlace(await waiting);
  });

  it("gives every client one place at least", () => {
    const queue = createQueue({ ...OPTIONS, concurrent: 2, perClient: 0.01 });
    isPlace(queue.enter("a"));
    isPlace(queue.enter("b"));
  });

  it("lets nobody in once it is closed", async () => {
    const queue = createQueue({ ...OPTIONS, concurrent: 1 });
    const place = queue.enter("a");
    const waiting = queue.enter("b");
    queue.close();
    assert.equal(await waiting, "closed");
    isPlace(place);
    place.release();
    assert.equal(queue.enter("c"), "closed");
    assert.equal(queue.refusal("c"), "closed");
    assert.deepEqual([queue.running, queue.waiting], [0, 0]);
  });

  it("says when to come again, within reason", () => {
    const queue = createQueue({ ...OPTIONS, concurrent: 1, queue: 1000 });
    assert.equal(queue.retryAfter(), 1);
    for (let count = 0; count < 1000; count++) void queue.enter("a");
    assert.equal(queue.retryAfter(), 60);
  });
});
