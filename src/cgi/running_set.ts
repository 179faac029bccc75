/**
 * The scripts that run now, so that all of them can be ended.
 *
 * @module
 */

import type { RunningScript } from "./supervisor.ts";
import { within } from "./time_limit.ts";

/** The scripts that run now. */
export interface RunningSet {
  /** Takes a script in until it has ended. */
  add(script: RunningScript): void;
  /** Passes a start through; it is waited for at the end. */
  starting<T>(start: Promise<T>): Promise<T>;
  /** Waits for all of them to end, then stops them. Resolves when none is left. */
  close(graceMs: number): Promise<void>;
}

/** Makes an empty one. */
export function createRunningSet(): RunningSet {
  const scripts = new Set<RunningScript>();
  // Counted, not kept: the collector would carry each of them on, with all that it holds.
  let starts = 0;
  const awaiting: (() => void)[] = [];
  let stopping = false;

  async function allEnded(): Promise<true> {
    while (scripts.size > 0 || starts > 0) {
      await Promise.allSettled(Array.from(scripts, (script) => script.ended));
      if (starts > 0) await new Promise<void>((resolve) => awaiting.push(resolve));
    }
    return true;
  }
  function started(): void {
    starts -= 1;
    if (awaiting.length > 0) { for (const tell of awaiting.splice(0)) tell(); }
  }
  return {
    add(script) {
      scripts.add(script);
      void script.ended.then(() => scripts.delete(script));
      if (stopping) script.stop("shutdown");
    },
    starting(start) {
      starts += 1;
      start.then(started, started);
      return start;
    },
    async close(graceMs) {
      const ended = allEnded();
      if (graceMs > 0 && await within(ended, graceMs)) return;
      stopping = true;
      for (const script of scripts) script.stop("shutdown");
      await ended;
    },
  };
}
