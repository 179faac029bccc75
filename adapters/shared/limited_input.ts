/**
 * Standard input as a stream that takes no more than it may: what comes after a request's body is not the script's
 * (RFC 3875 section 4.2).
 *
 * @module
 */

import type { Bytes } from "../../src/runtime.ts";

/** Largest piece that is read at once, in bytes: what a pipe holds. */
export const PIECE = 65_536;

/**
 * Makes the stream. `read` fills a part of the buffer and says how much, or `null` at the end; it is called when a piece
 * is asked for, and never while it runs. `close` is called at the end, or when nobody wants the rest.
 */
export function limitedInput(
  limit: number | null,
  read: (buffer: Bytes) => Promise<number | null>,
  close: () => void,
): ReadableStream<Bytes> {
  let left = limit ?? Infinity;
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(Math.min(PIECE, left));
      const length = left === 0 ? null : await read(buffer);
      if (length !== null && length > 0) {
        left -= length;
        controller.enqueue(buffer.subarray(0, length));
        if (left > 0) return;
      }
      close();
      controller.close();
    },
    cancel: close,
  }, { highWaterMark: 0 });
}
