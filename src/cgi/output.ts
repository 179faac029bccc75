/**
 * A script's standard output, read piece by piece, with an end even where something that the script left behind keeps
 * the pipe open.
 *
 * @module
 */

import { readNowOf } from "../read_now.ts";
import type { Bytes } from "../runtime.ts";

/** How long an ended script's output may be silent before it counts as over, in milliseconds. */
export const LATE_OUTPUT = 500;

/** An output that is being read. */
export interface Output {
  /** The next piece, or `null` at the end. Never rejects. One call at a time. */
  next(): Promise<Bytes | null>;
  /** The next piece, if it is there already and nobody waits for it. */
  nextNow(): Bytes | null;
  /** The script has ended: what is in the pipe still comes, but silence is the end from now on. */
  expectEnd(): void;
  /** Stops reading: a pending `next()` gets `null`, and a script that goes on writing gets SIGPIPE. */
  close(): void;
  /** Settles at the end, or once it was closed. */
  readonly ended: Promise<void>;
}

/** Begins to read. */
export function readOutput(stream: ReadableStream<Bytes>): Output {
  const reader = stream.getReader();
  const readNow = readNowOf(stream);
  let finish!: () => void;
  const ended = new Promise<void>((resolve) => finish = resolve);
  let over = false;
  let reading = false;
  let late = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function close(): void {
    if (over) return;
    end();
    reader.cancel().catch(() => {});
  }
  function end(): void {
    over = true;
    clearTimeout(timer);
    finish();
  }
  function waitForSilence(): void {
    clearTimeout(timer);
    timer = setTimeout(close, LATE_OUTPUT);
  }
  async function next(): Promise<Bytes | null> {
    while (!over) {
      reading = true;
      if (late) waitForSilence();
      const read = await reader.read().catch(() => null);
      reading = false;
      clearTimeout(timer);
      if (over) return null;
      if (read === null || read.done) end();
      else if (read.value.length > 0) return read.value;
    }
    return null;
  }
  return {
    next,
    nextNow() {
      if (over || reading || readNow === undefined) return null;
      try {
        return readNow();
      } catch {
        // So will next().
        return null;
      }
    },
    expectEnd() {
      late = true;
      // Not while nobody reads: a slow client's bytes are still in the pipe.
      if (reading && !over) waitForSilence();
    },
    close,
    ended,
  };
}
