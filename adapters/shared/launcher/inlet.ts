/**
 * The pipe that a slot's programs read their input from, one after the other: its writing end.
 *
 * It is written to without blocking and without a thread: at once while there is room, else when the launcher says that
 * there is. A program gets a writing end of its own, as closing it is what ends the input. Once nobody has the pipe open,
 * the system forgets what was in it, so the next program finds an empty one.
 *
 * @module
 */

import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import type { PipeInput } from "../feed.ts";
import { errorCode } from "../system_error.ts";

/** How an inlet reaches the launcher, and what this runtime can do. */
export interface InletHost {
  /** Asks to be told once when there is room, or nobody reads any more. */
  watch(): void;
  /** Nothing more is written: the launcher must not hold the pipe. */
  leave(): void;
  /** Whether a write of which a pipe has taken a part says how large that was. */
  readonly writesParts: boolean;
}

/** A pipe for input. */
export interface Inlet {
  /** An end for one program. `null`: something that an earlier one has left behind still holds the pipe. */
  open(): PipeInput | null;
  /** There is room for so many bytes, or nobody reads any more. */
  writable(room: number): void;
  close(): void;
}

/** A pipe takes so many bytes as a whole or not at all (PIPE_BUF). */
const WHOLE = 4096;

const oneByte = new Uint8Array(1);

/** Takes over a descriptor of the pipe that is neither a reader nor a writer (O_PATH). */
export function createInlet(fd: number, { watch, leave, writesParts }: InletHost): Inlet {
  const path = `/proc/self/fd/${fd}`;
  let room = 0;
  let wake = () => {};

  function open(): PipeInput | null {
    const end = openUnheld(path);
    return end === null ? null : inputTo(end);
  }
  function inputTo(end: number): PipeInput {
    let isClosed = false;
    let isWaiting = false;

    /** How much of it the pipe has taken: all, or there is no room for more. */
    function writeNow(chunk: Uint8Array): number {
      let at = 0;
      while (at < chunk.length) {
        const part = writesParts ? chunk.subarray(at) : chunk.subarray(at, at + Math.max(room, WHOLE));
        const taken = writeOnce(end, part);
        at += taken;
        room -= Math.ceil(taken / WHOLE) * WHOLE;
        if (taken < part.length) break;
      }
      return at;
    }
    async function writeRest(chunk: Uint8Array, from: number): Promise<void> {
      for (let at = from; at < chunk.length && !isClosed;) {
        isWaiting = true;
        const told = new Promise<void>((resolve) => wake = resolve);
        watch();
        await told;
        isWaiting = false;
        if (!isClosed) at += writeNow(chunk.subarray(at));
      }
    }
    function close(): void {
      if (isClosed) return;
      isClosed = true;
      closeSync(end);
      if (!isWaiting) return;
      leave();
      wake();
    }
    return {
      write(chunk) {
        const taken = writeNow(chunk);
        return taken === chunk.length ? undefined : writeRest(chunk, taken);
      },
      close,
      abort: close,
    };
  }
  /** Nothing, where it does not say of how much. */
  function writeOnce(end: number, part: Uint8Array): number {
    try {
      return writeSync(end, part);
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
      // It never comes to that: more than there is room for is not written.
      if (!writesParts && part.length > WHOLE) throw new Error("Cannot tell how much of a write was taken");
      return 0;
    }
  }
  return {
    open,
    writable(now) {
      room = now;
      wake();
    },
    close: () => closeSync(fd),
  };
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
