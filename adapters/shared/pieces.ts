/**
 * Bodies as pieces that are asked for one at a time.
 *
 * @module
 */

import type { FileSpan } from "../../src/response.ts";

/** A body that is being sent. */
export interface Pieces {
  /** The next piece; `null` after the last. Not to be called again before it has settled. */
  next(): Promise<Uint8Array | null>;
  /** Lets go of what is behind it. Harmless at any time. */
  cancel(): void;
}

/** The pieces of a stream, as they are. */
export function streamPieces(stream: ReadableStream<Uint8Array>): Pieces {
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      if (done) return null;
      if (value instanceof Uint8Array) return value;
      throw new TypeError("The body's stream gave something else than bytes");
    },
    cancel() {
      reader.cancel().catch(() => {});
    },
  };
}

/** How much of a file is read at once, in bytes: enough for the way through the thread pool not to count. */
const FILE_PIECE = 512 * 1024;

/** The pieces of a part of a file, each read while the one before it is being sent. */
export function filePieces({ file, offset, length }: FileSpan): Pieces {
  const end = offset + length;
  let at = offset;
  let ahead = read();
  function read(): Promise<Uint8Array> | null {
    if (at >= end) return null;
    const piece = file.read({ offset: at, length: Math.min(FILE_PIECE, end - at) });
    at += FILE_PIECE;
    // Looked at when its turn comes.
    piece.catch(() => {});
    return piece;
  }
  return {
    async next() {
      const piece = await ahead;
      ahead = read();
      if (ahead === null) await file.close();
      return piece;
    },
    cancel() {
      file.close().catch(() => {});
    },
  };
}

/** Stands for a promise that has not settled yet. */
export const LATE: unique symbol = Symbol("late");

/** Turns of the microtask queue that a stream needs to hand out what it has. Measured: at most 5. */
const TURNS = 8;

/** What the promise is fulfilled with, or `LATE` when that takes something from outside. */
export async function soon<T>(promise: Promise<T>): Promise<T | typeof LATE> {
  let value: T | typeof LATE = LATE;
  let failed = false;
  promise.then((result) => value = result, () => failed = true);
  for (let turn = 0; turn < TURNS && value === LATE && !failed; turn++) await null;
  return failed ? promise : value;
}
