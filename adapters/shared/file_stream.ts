/**
 * A span of an open file as a stream of large pieces.
 *
 * @module
 */

import type { FileSpan } from "../../src/response.ts";
import type { Bytes } from "../../src/runtime.ts";

/** How much is read at once, in bytes: enough for the way through the thread pool not to count. */
const PIECE = 512 * 1024;

/** Reads one piece ahead, and lets go of the file at the end, at an error and when it is cancelled. */
export function fileStream({ file, offset, length }: FileSpan): ReadableStream<Bytes> {
  const end = offset + length;
  let at = offset;
  let next: Promise<Bytes> | null = null;
  function read(): Promise<Bytes> | null {
    if (at >= end) return null;
    const piece = file.read({ offset: at, length: Math.min(PIECE, end - at) });
    at += PIECE;
    // Looked at when its turn comes.
    piece.catch(() => {});
    return piece;
  }
  return new ReadableStream<Bytes>({
    async pull(controller) {
      next ??= read();
      try {
        if (next !== null) {
          const piece = await next;
          next = read();
          controller.enqueue(piece);
          if (next !== null) return;
        }
        await file.close();
        controller.close();
      } catch (error) {
        await file.close();
        throw error;
      }
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}
