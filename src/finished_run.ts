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

/** Beside the run, its child: whoever copies that, copies this. Not a `WeakMap`: the collector carries its entries on. */
const RUN = Symbol("finished run");

interface Finished {
  [RUN]?: { readonly child: ChildProcess; readonly run: FinishedRun };
}

/** Called by an adapter. Another object made of the child, with other streams, is not meant by it. */
export function hasFinished(child: ChildProcess, run: FinishedRun): void {
  (child as Finished)[RUN] = { child, run };
}

/** `undefined` for a program that may still do something, or that is not known to have ended. */
export function finishedRun(child: ChildProcess): FinishedRun | undefined {
  const finished = (child as Finished)[RUN];
  return finished?.child === child ? finished.run : undefined;
}
