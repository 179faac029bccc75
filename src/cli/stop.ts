/**
 * The end of a server: gracefully at the first signal, at once at the second.
 *
 * @module
 */

import type { Terminal } from "../runtime.ts";

/** Something that finishes what it is doing for some milliseconds, then breaks it off. */
export interface Closeable {
  close(graceMs?: number): Promise<void>;
}

/** A stop that takes longer than this is explained, in milliseconds. */
const PATIENCE = 500;

/** Closes everything once a signal has come. Resolves with the exit status when the process may end. */
export function untilStopped(
  terminal: Terminal,
  graceMs: number,
  parts: readonly Closeable[],
): Promise<number> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    terminal.onStop(() => {
      // The second signal: whatever still runs is broken off.
      const grace = stopping ? 0 : graceMs;
      const closed = Promise.all(parts.map((part) => part.close(grace)));
      if (stopping) return resolve(0);
      stopping = true;
      const timer = setTimeout(() => {
        const limit = `at most ${graceMs / 1000} s; once more ends them at once`;
        terminal.stderr(`htbin: waiting for open responses and scripts, ${limit}\n`);
      }, PATIENCE);
      closed.finally(() => clearTimeout(timer)).then(() => resolve(0), reject);
    });
  });
}
