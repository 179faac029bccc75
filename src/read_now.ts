/**
 * Pieces of a stream that are there already, without a promise for each.
 *
 * A stream of the Web takes several turns of the microtask queue to hand out what lies in a pipe, and again for each stream
 * that is made of another. So who makes a stream may say how to have its next piece at once ({@linkcode setReadNow}), and
 * who reads it may ask for that first ({@linkcode readNowOf}); everybody else reads the stream.
 *
 * @module
 */

import type { Bytes } from "./runtime.ts";

/**
 * The next piece of a stream, which its reader does not get then; never empty. `null`: to be read from the stream, if there
 * is one, as is what goes wrong. Not to be called while the stream is being read.
 */
export type ReadNow = () => Bytes | null;

const ways = new WeakMap<ReadableStream, ReadNow>();

/** Says how the pieces of a stream can be had at once. */
export function setReadNow(stream: ReadableStream<Bytes>, readNow: ReadNow): ReadableStream<Bytes> {
  ways.set(stream, readNow);
  return stream;
}

/** How the pieces of a stream can be had at once; `undefined` where it has to be read. */
export function readNowOf(stream: ReadableStream): ReadNow | undefined {
  return ways.get(stream);
}
