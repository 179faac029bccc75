/**
 * The reading end of one of a program's pipes, used by one program after the other.
 *
 * Of a program that is quick, the launcher has read it. Else it is read without blocking, when the launcher says that
 * there is something. So a program that runs holds no thread, and one that is quick costs no call.
 *
 * @module
 */

import { closeSync, readSync } from "node:fs";
import { giveBack, lend } from "../../../src/lent_bytes.ts";
import { setReadNow } from "../../../src/read_now.ts";
import type { Bytes } from "../../../src/runtime.ts";
import { errorCode } from "../system_error.ts";
import { joined, type Written } from "./protocol.ts";

/** As much as a pipe holds that the launcher has made larger. */
const PIECE = 262_144;

/** What may be in a pipe before anybody writes into it again, in pieces. */
const LEFTOVER = 2;

/** How an outlet reaches the launcher, and who uses it. */
export interface OutletHost {
  /** Asks to be told once when there is something to read, or the end. */
  watch(): void;
  /** This end is closed: so must be the launcher's. */
  leave(): void;
  /** The program's output has ended, or is not listened to any more. */
  over(): void;
}

/** One of a program's pipes. */
export interface Outlet {
  /** Whether everything has been read, and nobody can write into it any more. */
  isOver(): boolean;
  /** It could not be waited for until nobody wrote any more: no other program may get it. */
  isLost(): boolean;
  /** Another program is about to get it. */
  begin(): void;
  /** The program runs on. */
  started(): void;
  /** Everything that an ended program has written, of which this was read already. */
  rest(read: Written): Bytes;
  /** What the program writes, after what was read already. */
  stream(first: Bytes | null): ReadableStream<Bytes>;
  /** There may be something to read. */
  readable(): void;
  /** The program has ended: what is in the pipe is all, but for what others write who hold it. */
  ended(): void;
  close(): void;
}

/** Less than this is copied, so that it does not hold the memory of a piece. */
const FEW = PIECE / 2;

/** So much memory waits for the next pieces, in pieces. */
const MOST_SPARE = 4;

const spare: Bytes[] = [];

/** What there is; `null` at the end; `undefined` when there is nothing yet. */
function readNow(fd: number): Bytes | null | undefined {
  const memory: Bytes = spare.pop() ?? new Uint8Array(PIECE);
  let count = 0;
  try {
    count = readSync(fd, memory, 0, PIECE, null);
  } catch (error) {
    if (errorCode(error) === "EAGAIN") return undefined;
    throw error;
  } finally {
    if (count < FEW) keep(memory);
  }
  if (count < FEW) return count === 0 ? null : memory.slice(0, count);
  return lend(memory.subarray(0, count), () => keep(memory));
}

function keep(memory: Bytes): void {
  if (spare.length < MOST_SPARE) spare.push(memory);
}

/** Takes over the descriptor of a pipe's reading end, which does not block. */
export function createOutlet(fd: number, host: OutletHost): Outlet {
  let over = true;
  let lost = false;
  let hasEnded = false;
  let isWanted = true;
  // Worth an attempt: one for nothing costs more than any other.
  let mayRead = false;
  let isWatched = false;
  // Of the program that has it: what is left of the one before must not touch it.
  let turn = 0;
  let wake = () => {};

  function finish(): void {
    if (over) return;
    over = true;
    host.over();
  }
  function close(): void {
    if (lost) return;
    lost = true;
    closeSync(fd);
    host.leave();
    finish();
    wake();
  }
  function watch(): void {
    if (isWatched || lost) return;
    isWatched = true;
    host.watch();
  }
  function next(): Bytes | null | undefined {
    if (lost) return null;
    if (!mayRead) return undefined;
    const bytes = readNow(fd);
    // A piece that fills the buffer is seldom the last, and the end comes right after an ended program's last.
    if (bytes !== null && !hasEnded) mayRead = bytes !== undefined && bytes.length === PIECE;
    if (bytes === undefined) mayRead = false;
    return bytes;
  }
  async function pull(controller: ReadableStreamDefaultController<Bytes>, mine: number): Promise<void> {
    while (turn === mine && isWanted) {
      const bytes = next();
      if (bytes === null) {
        finish();
        return controller.close();
      }
      if (bytes !== undefined) return controller.enqueue(bytes);
      const woken = new Promise<void>((resolve) => wake = resolve);
      watch();
      await woken;
    }
  }
  /** Nobody listens: what ends soon can be used again, and what goes on writing gets SIGPIPE. */
  function discard(pieces: number): void {
    for (let left = pieces;; left--) {
      mayRead = true;
      const bytes = next();
      if (bytes === null) return finish();
      if (bytes === undefined) return hasEnded ? close() : watch();
      giveBack(bytes);
      if (left === 0) return close();
    }
  }
  return {
    isOver: () => over,
    isLost: () => lost,
    begin() {
      turn += 1;
      over = false;
      hasEnded = false;
      isWanted = true;
      mayRead = false;
      isWatched = false;
    },
    started() {
      // The launcher sees to that by itself.
      isWatched = true;
    },
    rest({ bytes: read, more }) {
      hasEnded = true;
      mayRead = true;
      if (!more) {
        finish();
        return read;
      }
      let all: Bytes = read;
      for (;;) {
        const bytes = next();
        if (bytes === null) finish();
        if (bytes === null || bytes === undefined) return all;
        all = all.length === 0 ? bytes : joined(all, bytes);
        if (all.length > PIECE) return all;
      }
    },
    stream(first) {
      if (over) return streamOf(first);
      const mine = turn;
      let held = first;
      const stream = new ReadableStream<Bytes>({
        pull(controller) {
          if (held === null || held.length === 0) return pull(controller, mine);
          controller.enqueue(held);
          held = null;
        },
        cancel() {
          if (over || turn !== mine) return;
          isWanted = false;
          wake();
          discard(LEFTOVER);
        },
      }, { highWaterMark: 0 });
      return setReadNow(stream, () => {
        const isMine = !over && turn === mine && isWanted;
        // The end is found again.
        return isMine && (held === null || held.length === 0) ? next() ?? null : null;
      });
    },
    readable() {
      isWatched = false;
      if (over) return;
      if (!isWanted) return discard(0);
      mayRead = true;
      wake();
    },
    ended() {
      hasEnded = true;
      if (over) return;
      if (!isWanted) return discard(LEFTOVER);
      mayRead = true;
      wake();
    },
    close,
  };
}

/** A stream of what is there. */
export function streamOf(bytes: Bytes | null): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>({
    pull(controller) {
      if (bytes !== null && bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  }, { highWaterMark: 0 });
}
