/**
 * Who may run now, who waits, and who is sent away.
 *
 * @module
 */

import { now } from "../clock.ts";
import { LONGEST_TIMER } from "./time_limit.ts";

/** How many may run and wait. */
export interface QueueOptions {
  /** Places. */
  readonly concurrent: number;
  /** Waiting for one. */
  readonly queue: number;
  /** Share of both that one client may hold, 0 to 1; never less than one. */
  readonly perClient: number;
  /** Longest wait in milliseconds; `Infinity` for no limit. */
  readonly waitMs: number;
}

/** A place to run in. */
export interface Place {
  /** Hands the place on. Harmless the second time. */
  release(): void;
}

/** Why there is no place: too many wait, it took too long, the client has left, no more are let in. */
export type Rejection = "full" | "late" | "gone" | "closed";

/**
 * Places and a line before them.
 *
 * @example
 * ```ts
 * import { createQueue, type Place, type Queue, type QueueOptions, type Rejection } from "htbin";
 *
 * const options: QueueOptions = { concurrent: 1, queue: 1, perClient: 1, waitMs: 1000 };
 * const queue: Queue = createQueue(options);
 * const first = await queue.enter("192.0.2.1") as Place;
 * const second: Promise<Place | Rejection> = Promise.resolve(queue.enter("192.0.2.2"));
 * const third: Place | Rejection = await queue.enter("192.0.2.3");
 * console.assert(third === "full" && queue.waiting === 1);
 * first.release();
 * console.assert(typeof await second === "object" && queue.running === 1);
 * ```
 */
export interface Queue {
  /** Gets a place, at once where one is free. Clients are told apart by `client`. */
  enter(client: string, signal?: AbortSignal): Place | Promise<Place | Rejection> | Rejection;
  /** A place that is free now, without waiting for one; `null` when there is none. Optional. */
  enterNow?(client: string): Place | null;
  /** What `enter()` would have to say now, before there is more to lose than a head; `null` when it could say yes. */
  refusal(client: string): "full" | "closed" | null;
  /** Seconds after which trying again is likely to succeed: for `Retry-After`. At least 1, at most 60. */
  retryAfter(): number;
  /** Lets nobody in any more; who waits is sent away. */
  close(): void;
  /** How many run. */
  readonly running: number;
  /** How many wait. */
  readonly waiting: number;
}

interface Waiter {
  readonly client: string;
  settle(outcome: Place | Rejection): void;
}

/**
 * Makes a queue. First come, first served, but for clients who hold their share.
 *
 * `cgi()` makes its own of its `limits`; handlers that are given the same one share its places.
 *
 * @example
 * ```ts
 * import { cgi, createQueue } from "htbin";
 *
 * const queue = createQueue({ concurrent: 8, queue: 100, perClient: 1, waitMs: 60_000 });
 * const scripts = cgi({ root: "./cgi-bin", queue });
 * const admin = cgi({ root: "./admin-bin", queue });
 * await Promise.all([scripts.close(), admin.close()]);
 * ```
 */
export function createQueue(options: QueueOptions): Queue {
  const { concurrent, perClient, waitMs } = options;
  const placesEach = Math.max(1, Math.floor(concurrent * perClient));
  const waitersEach = Math.max(1, Math.floor(options.queue * perClient));
  /** In the order of their coming. */
  const waiters = new Set<Waiter>();
  const places = createTally();
  const waits = createTally();
  let closed = false;
  let averageMs = 1000;

  function take(client: string): Place {
    places.add(client);
    const since = now();
    let held = true;
    return {
      release() {
        if (!held) return;
        held = false;
        places.remove(client);
        averageMs += (now() - since - averageMs) / 8;
        if (waiters.size > 0) admitNext();
      },
    };
  }

  function admitNext(): void {
    for (const waiter of waiters) {
      if (places.total() >= concurrent) return;
      if (places.of(waiter.client) < placesEach) waiter.settle(take(waiter.client));
    }
  }

  function wait(client: string, signal: AbortSignal | undefined): Promise<Place | Rejection> {
    return new Promise((resolve) => {
      const timer = waitMs < Infinity
        ? setTimeout(() => waiter.settle("late"), Math.min(waitMs, LONGEST_TIMER))
        : undefined;
      const leave = () => waiter.settle("gone");
      const waiter: Waiter = {
        client,
        settle(outcome) {
          waiters.delete(waiter);
          waits.remove(client);
          clearTimeout(timer);
          signal?.removeEventListener("abort", leave);
          resolve(outcome);
        },
      };
      waiters.add(waiter);
      waits.add(client);
      signal?.addEventListener("abort", leave);
    });
  }

  function hasPlace(client: string): boolean {
    return places.total() < concurrent && places.of(client) < placesEach;
  }
  function refusal(client: string): "full" | "closed" | null {
    if (closed) return "closed";
    if (hasPlace(client)) return null;
    return waiters.size >= options.queue || waits.of(client) >= waitersEach ? "full" : null;
  }

  return {
    enter(client, signal) {
      if (signal?.aborted) return "gone";
      const refused = refusal(client);
      if (refused !== null) return refused;
      return hasPlace(client) ? take(client) : wait(client, signal);
    },
    enterNow: (client) => !closed && hasPlace(client) ? take(client) : null,
    refusal,
    retryAfter() {
      const seconds = averageMs * (waiters.size + 1) / concurrent / 1000;
      return Math.min(60, Math.max(1, Math.ceil(seconds)));
    },
    close() {
      closed = true;
      for (const waiter of waiters) waiter.settle("closed");
    },
    get running() {
      return places.total();
    },
    get waiting() {
      return waiters.size;
    },
  };
}

/** Counts by name. A name that counts nothing is forgotten. */
interface Tally {
  add(name: string): void;
  remove(name: string): void;
  of(name: string): number;
  total(): number;
}

function createTally(): Tally {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    add(name) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      total += 1;
    },
    remove(name) {
      const left = (counts.get(name) ?? 0) - 1;
      if (left > 0) counts.set(name, left);
      else counts.delete(name);
      total -= 1;
    },
    of: (name) => counts.get(name) ?? 0,
    total: () => total,
  };
}
