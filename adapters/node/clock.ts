/**
 * The time on Node, where `performance` is eight modules that nothing else at the start takes: 2.7 of 190 million
 * instructions.
 *
 * @module
 */

import { process } from "../shared/process.ts";

/** An event says when it was made, as `performance.now()` has it. */
const origin = sinceBoot() - new Event("").timeStamp;

/** As `performance.now()`, in less time. */
export function nodeNow(): number {
  return sinceBoot() - origin;
}

function sinceBoot(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
