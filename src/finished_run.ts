/**
 * Programs that were over before anybody could look: all that they wrote is there, and needs no stream to be read from.
 *
 * @module
 */

import type { Bytes, ChildProcess, ExitStatus } from "./runtime.ts";

/** A program that has ended, with all that it started and all who held its pipes. */
export interface FinishedRun {
  readonly stdout: Bytes;
  readonly stderr: Bytes;
  readonly status: ExitStatus;
}

const runs = new WeakMap<ChildProcess, FinishedRun>();

/** Called by an adapter. Another object made of the child, with other streams, is not meant by it. */
export function hasFinished(child: ChildProcess, run: FinishedRun): void {
  runs.set(child, run);
}

/** `undefined` for a program that may still do something, or that is not known to have ended. */
export function finishedRun(child: ChildProcess): FinishedRun | undefined {
  return runs.get(child);
}
