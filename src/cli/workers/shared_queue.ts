/**
 * One queue for the scripts of all workers: each asks it over its line.
 *
 * @module
 */

import type { Place, Queue, Rejection } from "../../cgi/queue.ts";
import type { Line } from "../../runtime.ts";
import type { FromWorker, QueueState, ToWorker } from "./messages.ts";

/** Answers one worker's questions from the queue, and takes its places back once it has ended. */
export function serveQueue(queue: Queue, line: Line, exited: Promise<unknown>): void {
  const held = new Map<number, { leave(): void }>();
  let gone = false;

  async function enter(id: number, client: string): Promise<void> {
    const giveUp = new AbortController();
    held.set(id, { leave: () => giveUp.abort() });
    const outcome = await queue.enter(client, giveUp.signal);
    if (typeof outcome === "string") {
      held.delete(id);
      return answer(id, outcome);
    }
    // It left in the very moment that it got its place.
    if (gone || giveUp.signal.aborted) return outcome.release();
    held.set(id, { leave: outcome.release });
    answer(id, null);
  }
  function answer(id: number, rejection: Rejection | null): void {
    line.send({ type: "place", id, rejection, state: stateOf(queue) } satisfies ToWorker);
  }
  line.onMessage((message) => {
    const said = message as FromWorker;
    if (said.type === "enter") enter(said.id, said.client);
    if (said.type === "leave") {
      held.get(said.id)?.leave();
      held.delete(said.id);
    }
  });
  exited.then(() => {
    gone = true;
    for (const { leave } of held.values()) leave();
    held.clear();
  });
}

function stateOf(queue: Queue): QueueState {
  return { running: queue.running, waiting: queue.waiting, retryAfter: queue.retryAfter() };
}

/** The queue behind the line, as a worker uses it. */
export function queueOver(line: Line): Queue {
  const asked = new Map<number, (outcome: Place | Rejection) => void>();
  let state: QueueState = { running: 0, waiting: 0, retryAfter: 1 };
  let closed = false;
  let count = 0;

  function say(message: FromWorker): void {
    line.send(message);
  }
  line.onMessage((message) => {
    const said = message as ToWorker;
    if (said.type !== "place") return;
    state = said.state;
    const settle = asked.get(said.id);
    // Nobody waits any more: the place goes back as soon as `leave` is there, which is on its way.
    settle?.(said.rejection ?? place(said.id));
  });
  function place(id: number): Place {
    let held = true;
    return {
      release() {
        if (held) say({ type: "leave", id });
        held = false;
      },
    };
  }
  return {
    enter(client, signal) {
      if (signal?.aborted) return "gone";
      if (closed) return "closed";
      const id = ++count;
      return new Promise((resolve) => {
        function leave(): void {
          say({ type: "leave", id });
          settle("gone");
        }
        function settle(outcome: Place | Rejection): void {
          asked.delete(id);
          signal?.removeEventListener("abort", leave);
          resolve(outcome);
        }
        asked.set(id, settle);
        signal?.addEventListener("abort", leave);
        say({ type: "enter", id, client });
      });
    },
    // What it would say only the one behind the line knows.
    refusal: () => closed ? "closed" : null,
    retryAfter: () => state.retryAfter,
    close() {
      closed = true;
      for (const [id, settle] of asked) {
        say({ type: "leave", id });
        settle("closed");
      }
    },
    get running() {
      return state.running;
    },
    get waiting() {
      return state.waiting;
    },
  };
}
