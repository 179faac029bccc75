/**
 * Bodies as pieces that are asked for one at a time.
 *
 * @module
 */

import { now } from "../../src/clock.ts";
import { giveBack, isLending } from "../../src/lent_bytes.ts";
import { readNowOf } from "../../src/read_now.ts";
import type { FileSpan } from "../../src/response.ts";
import type { Bytes, FileTransfer } from "../../src/runtime.ts";

/** A body that is being sent. */
export interface Pieces {
  /**
   * The next piece; `null` after the last. Not to be called again before it has settled. `isFree` says that the memory of
   * the piece before is not needed any more.
   */
  next(isFree?: boolean): Promise<Uint8Array | null>;
  /** The same, if it is there already; `null`: it is not, or it is to be had from `next()`. Absent: always. */
  nextNow?(isFree?: boolean): Uint8Array | null;
  /**
   * Has the system move what comes next, once all pieces before have left this process: as much as is possible without
   * waiting. Returns how many bytes; 0: none, `next()` has the next ones. Throws what that would reject with. Absent: none
   * ever.
   */
  move?(transfer: FileTransfer): number;
  /** Lets go of what is behind it. Harmless at any time. */
  cancel(): void;
}

/**
 * The pieces of a stream, as they are. Where they cannot be had at once, one is asked for ahead, so that who makes them can
 * go on.
 */
export function streamPieces(stream: ReadableStream<Uint8Array>): Pieces {
  const reader = stream.getReader();
  const lends = isLending(stream);
  const readNow = readNowOf(stream);
  let isReading = false;
  let ahead: Promise<Uint8Array | null> | null = null;
  let last: Uint8Array | null = null;
  async function read(): Promise<Uint8Array | null> {
    const { done, value } = await reader.read();
    if (done) return null;
    if (value instanceof Uint8Array) return value;
    throw new TypeError("The body's stream gave something else than bytes");
  }
  function readAhead(piece: Uint8Array | null): void {
    last = piece;
    isReading = false;
    if (piece === null || readNow !== undefined) return;
    ahead = read();
    // That it fails counts when its turn comes, or never.
    ahead.catch(() => {});
  }
  function free(isFree: boolean): void {
    if (isFree && lends && last !== null) giveBack(last);
  }
  return {
    next(isFree = false) {
      free(isFree);
      const piece = ahead ?? read();
      isReading = true;
      ahead = null;
      piece.then(readAhead, () => {});
      return piece;
    },
    ...(readNow !== undefined && {
      nextNow(isFree = false) {
        if (isReading) return null;
        free(isFree);
        return last = readNow();
      },
    }),
    cancel() {
      reader.cancel().catch(() => {});
    },
  };
}

/** The pieces of a part of a file, in memory that is used again. */
export function filePieces({ file, offset, length }: FileSpan): Pieces {
  const end = offset + length;
  const since = now();
  let memory: Bytes = new Uint8Array(Math.min(FIRST_PIECE, length));
  let at = offset;
  let wasMoved = false;
  let fit = LEAST_MOVED;
  return {
    async next(isFree = false) {
      if (at >= end) return null;
      if (at > offset) {
        const size = pieceSize(at - offset, now() - since);
        // All that came before what was moved has left.
        const isFit = (isFree || wasMoved) && size <= memory.length && size >= memory.length / 4;
        if (!isFit) memory = new Uint8Array(size);
      }
      // Where bytes are moved, a piece is what waits for the client.
      const room = wasMoved ? memory.subarray(0, SMALLEST_PIECE) : memory;
      wasMoved = false;
      const span = { offset: at, length: Math.min(room.length, end - at) };
      const piece = file.readNow?.(span, room) ?? await file.read(span, room);
      at += span.length;
      if (at >= end) await file.close();
      return piece;
    },
    move(transfer) {
      const most = Math.min(fit, end - READ_LAST - at);
      if (most < SMALLEST_PIECE || at === offset) return 0;
      const began = now();
      const moved = file.moveNow?.({ offset: at, length: most }, transfer) ?? 0;
      if (moved === fit) fit = moveSize(moved, now() - began);
      at += moved;
      wasMoved ||= moved > 0;
      return moved;
    },
    cancel() {
      file.close().catch(() => {});
    },
  };
}

/**
 * How much of a file is read at once, in bytes: at most what a processor's own cache still holds when the system copies it
 * to the socket, so that memory is read once and not twice; at least what makes the steps in between not count.
 */
const FIRST_PIECE = 128 * 1024;
const LARGEST_PIECE = 512 * 1024;
const SMALLEST_PIECE = 64 * 1024;

/**
 * How much of a file is moved at once, in bytes: as much as takes about as long as to read and send a piece, whatever the
 * machine.
 */
const LEAST_MOVED = 256 * 1024;
const MOST_MOVED = 2 * 1024 * 1024;

/** So long others may have to wait for what is moved, in milliseconds. */
const MOVE_TIME = 0.2;

/** How much is to be moved after so much in that time. */
function moveSize(moved: number, ms: number): number {
  if (ms > MOVE_TIME) return Math.max(LEAST_MOVED, moved / 2);
  return ms < MOVE_TIME / 2 ? Math.min(MOST_MOVED, 2 * moved) : moved;
}

/**
 * What was moved is the system's own copy of the file until the client has it: who writes into the file changes that, too.
 * So the end of a file is read, and the file looked at each time. It is more than both ends of a connection keep (Linux, by
 * default: 4 MiB to send, 32 received), so the last look is one at a time when all that was moved has arrived: an answer that
 * is whole never holds anything of another version of the file.
 */
const READ_LAST = 40 * 1024 * 1024;

/** A piece is about what the client takes in this time, in milliseconds: those who are slow shall not hold much memory. */
const PIECE_TIME = 20;

/** One of a few sizes: a client that becomes a bit faster with each piece is not worth new memory each time. */
function pieceSize(taken: number, ms: number): number {
  const fit = 2 ** Math.floor(Math.log2(taken / ms * PIECE_TIME));
  return Math.min(LARGEST_PIECE, Math.max(SMALLEST_PIECE, fit));
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
