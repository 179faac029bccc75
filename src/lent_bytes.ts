/**
 * Bytes in memory that is used again.
 *
 * New memory for each piece of a long body costs more than to copy it. So who makes pieces may lend them
 * ({@linkcode lend}), and who knows that nobody needs one any more gives it back ({@linkcode giveBack}). A piece that is
 * never given back is as good as any other: the collector has it.
 *
 * Whoever reads a stream may keep what it gave. So pieces are given back only by the sender of a response, if it reads the
 * very stream whose maker has said that it keeps nothing itself ({@linkcode setLending}).
 *
 * @module
 */

import type { Bytes } from "./runtime.ts";

const loans = new WeakMap<Uint8Array, () => void>();
const lending = new WeakSet<ReadableStream>();

/** Lends bytes; `onReturned` is called at most once, when nobody needs them any more. */
export function lend(bytes: Bytes, onReturned: () => void): Bytes {
  loans.set(bytes, onReturned);
  return bytes;
}

/** Nobody needs these bytes any more. Harmless for bytes that are not lent, or only a part of what is. */
export function giveBack(bytes: Uint8Array): void {
  const onReturned = loans.get(bytes);
  if (onReturned === undefined) return;
  loans.delete(bytes);
  onReturned();
}

/** Says that whoever reads this stream is the only one to have its pieces. */
export function setLending(stream: ReadableStream<Bytes>): ReadableStream<Bytes> {
  lending.add(stream);
  return stream;
}

/** Whether that was said of it. */
export function isLending(stream: ReadableStream): boolean {
  return lending.has(stream);
}
