/**
 * The pipe that a slot's programs read their input from, one after the other: its writing end.
 *
 * It is written to without blocking and without a thread: at once while there is room, else when the launcher says that
 * there is. A program gets a writing end of its own, as closing it is what ends the input. Once nobody has the pipe open,
 * the system forgets what was in it, so the next program finds an empty one.
 *
 * @module
 */

import { closeSync, constants, openSync, readSync, writeSync, writevSync } from "node:fs";
import { clearImmediate, setImmediate } from "node:timers";
import type { PipeInput } from "../feed.ts";
import { errorCode } from "../system_error.ts";

/** How an inlet reaches the launcher, and what this runtime can do. */
export interface InletHost {
  /** Asks to be told once when there is room, or nobody reads any more. */
  watch(): void;
  /** Nothing more is written: the launcher must not hold the pipe. */
  leave(): void;
  readonly write: WriteParts;
}

/**
 * Writes to a pipe what it has room for, which may be a part of what is given, without blocking. Returns how much that
 * was.
 */
export type WriteParts = (end: number, parts: readonly Uint8Array[]) => number;

/** A pipe for input. */
export interface Inlet {
  /** An end for one program. `null`: something that an earlier one has left behind still holds the pipe. */
  open(): PipeInput | null;
  /** There is room, or nobody reads any more. */
  writable(): void;
  close(): void;
}

/**
 * So many bytes are written at once if they come together, and as many wait while the pipe is full. Where server and
 * program share a processor, each write is a turn for the other one.
 */
const BATCH = 262_144;

/** So many pieces, too: they may be of one byte each. */
const PIECES = 64;

const oneByte = new Uint8Array(1);

/** Takes over a descriptor of the pipe that is neither a reader nor a writer (O_PATH). */
export function createInlet(fd: number, { watch, leave, write }: InletHost): Inlet {
  const path = `/proc/self/fd/${fd}`;
  let wake = () => {};

  function open(): PipeInput | null {
    const end = openUnheld(path);
    return end === null ? null : inputTo(end);
  }
  function inputTo(end: number): PipeInput {
    /** What the pipe has not taken yet. */
    const waiting: Uint8Array[] = [];
    let size = 0;
    let isBlocked = false;
    let isClosed = false;
    let failure: unknown = null;
    let turn: NodeJS.Immediate | undefined;
    /** Called once the pipe has taken all, or will not take it. */
    let awaiting: (() => void)[] = [];

    function isMuch(): boolean {
      return size >= BATCH || waiting.length >= PIECES;
    }
    /** Writes what there is and fits; what is left waits for room. */
    function flush(): void {
      clearImmediate(turn);
      turn = undefined;
      try {
        while (size > 0 && writeSome()) { /* There may be more room. */ }
      } catch (error) {
        failure = error;
        size = waiting.length = 0;
      }
      if (size > 0) wait();
      else settle();
    }
    /** Whether all that was tried has been taken. */
    function writeSome(): boolean {
      const tried = size;
      const taken = write(end, waiting);
      drop(waiting, taken);
      size -= taken;
      return taken === tried;
    }
    function wait(): void {
      isBlocked = true;
      wake = () => {
        isBlocked = false;
        wake = () => {};
        if (!isClosed) flush();
      };
      watch();
    }
    function closeNow(): void {
      if (isClosed) return;
      isClosed = true;
      clearImmediate(turn);
      closeSync(end);
      if (isBlocked) leave();
      settle();
    }
    function settle(): void {
      const settled = awaiting;
      awaiting = [];
      for (const tell of settled) tell();
    }
    function settled(): Promise<void> {
      return new Promise((resolve, reject) => {
        awaiting.push(() => failure === null ? resolve() : reject(failure));
      });
    }
    return {
      write(chunk) {
        if (failure !== null) throw failure;
        waiting.push(chunk);
        size += chunk.length;
        if (!isBlocked && isMuch()) flush();
        // What else comes in this turn of the event loop goes along.
        else if (!isBlocked) turn ??= setImmediate(flush);
        if (failure !== null) throw failure;
        return isMuch() ? settled() : undefined;
      },
      move(transfer) {
        if (!isBlocked) flush();
        if (failure !== null) throw failure;
        const moved = isBlocked ? -1 : transfer(end);
        if (moved >= 0) return moved;
        if (!isBlocked) wait();
        return settled();
      },
      async close() {
        if (!isBlocked) flush();
        if (size > 0) await settled().catch(() => {});
        closeNow();
      },
      abort: closeNow,
    };
  }
  return {
    open,
    writable: () => wake(),
    close: () => closeSync(fd),
  };
}

/** {@linkcode WriteParts} of Node and Bun. */
export function writeParts(end: number, parts: readonly Uint8Array[]): number {
  try {
    return parts.length === 1 ? writeSync(end, parts[0]!) : writevSync(end, parts);
  } catch (error) {
    if (errorCode(error) === "EAGAIN") return 0;
    throw error;
  }
}

/** A writing end, if nobody else has the pipe open: neither for writing nor for reading. */
function openUnheld(path: string): number | null {
  let reading: number | null = null;
  let writing: number | null = null;
  try {
    reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // At the end at once: nobody writes, and nothing is left.
    if (readSync(reading, oneByte, 0, 1, null) > 0) return null;
    writing = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(reading);
    reading = null;
    writeSync(writing, oneByte);
  } catch (error) {
    // Nobody reads.
    if (writing !== null && errorCode(error) === "EPIPE") return writing;
  } finally {
    if (reading !== null) closeSync(reading);
  }
  if (writing !== null) closeSync(writing);
  return null;
}

/** Forgets so many bytes of the beginning. */
function drop(waiting: Uint8Array[], count: number): void {
  let left = count;
  let whole = 0;
  while (whole < waiting.length && waiting[whole]!.length <= left) left -= waiting[whole++]!.length;
  waiting.splice(0, whole);
  if (left > 0) waiting[0] = waiting[0]!.subarray(left);
}
