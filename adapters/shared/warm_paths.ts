/**
 * Decides which questions about a path may be asked without a trip through the thread pool.
 *
 * The first question is always asynchronous: the answer may have to come from a disk. Asked again within a second, the
 * kernel has it in memory, and a direct call costs 2 to 5 µs where the trip costs 30 to 50 µs. Where direct calls turn
 * out to be slow all the same (a network file system), there are none for a while.
 *
 * @module
 */

import { now } from "../../src/clock.ts";

const warmMs = 1000;

// One slow call says little: the system may just have given the processor to somebody else, for as long as it likes. So
// each call earns a bit of time, as does the time between them, what calls take beyond that adds up, and a single one
// counts for half of what is too much.
const earnedMs = 0.2;
const earnedShare = 0.02;
const debtMs = 20;
const mostMs = debtMs / 2;

// How long there are no direct calls then: longer each time, until they have been quick for as long.
const distrustMs = [1000, 16_000] as const;

const limit = 10_000;

/** The clock is a parameter for the tests' sake. */
export interface WarmPaths {
  /** Whether the path was met less than a second ago, and direct calls have been quick. */
  isWarm(path: string): boolean;
  /** Notes that the path has just been met. */
  met(path: string): void;
  /** Runs a direct call, and has no more of them for a while once they are slow. */
  directly<T>(call: () => T): T;
  /** The same for a path of any warmth; `undefined` while there are to be none. */
  ifQuick<T>(call: (path: string) => T, path: string): T | undefined;
  /** The same for one after the other, as far as each is done within so many milliseconds: after one that is not, it ends. */
  whileQuick<T>(call: (path: string) => T, paths: readonly string[], ms: number): T[];
}

/** An empty memory of paths. */
export function warmPaths(
  clock: () => number = now,
): WarmPaths {
  const metAt = new Map<string, number>();
  let debt = 0;
  let lastEnd = 0;
  let distrustUntil = -Infinity;
  let pause = 0;
  function spent(start: number, end = clock()): void {
    const taken = Math.min(mostMs, end - start);
    debt = Math.max(0, debt + taken - earnedMs - (start - lastEnd) * earnedShare);
    lastEnd = end;
    if (debt > debtMs) distrust(end);
  }
  function distrust(time: number): void {
    const [first, most] = distrustMs;
    pause = time - distrustUntil > pause ? first : Math.min(2 * pause, most);
    distrustUntil = time + pause;
    debt = 0;
  }
  return {
    isWarm(path) {
      const at = metAt.get(path);
      if (at === undefined) return false;
      const time = clock();
      return time - at < warmMs && time >= distrustUntil;
    },
    met(path) {
      // Paths come from requests: the memory must not grow with what clients think of.
      if (metAt.size >= limit) metAt.clear();
      metAt.set(path, clock());
    },
    directly(call) {
      const start = clock();
      try {
        return call();
      } finally {
        spent(start);
      }
    },
    ifQuick(call, path) {
      const start = clock();
      if (start < distrustUntil) return undefined;
      try {
        return call(path);
      } finally {
        spent(start);
      }
    },
    whileQuick(call, paths, ms) {
      const results = [];
      let start = clock();
      for (const path of paths) {
        if (start < distrustUntil) break;
        let end = start;
        try {
          results.push(call(path));
        } finally {
          end = clock();
          spent(start, end);
        }
        if (end - start > ms) break;
        start = end;
      }
      return results;
    },
  };
}
