/**
 * A script's standard error: read as fast as it comes, so that no script blocks on it, and handed on line by line, up
 * to a limit, so that no script fills the log.
 *
 * @module
 */

import type { Bytes } from "../runtime.ts";

/** A longer line is handed on in pieces of this size. */
const LONGEST_LINE = 8192;

/** How many of the last lines are kept for whoever explains a failure. */
const KEPT_LINES = 20;

/** What becomes of the lines. */
export interface StderrOptions {
  /** Bytes to hand on. */
  readonly limit: number;
  /** Gets each line without its line end. */
  readonly onLine: (line: string) => void;
  /** Told once, when the limit is reached. */
  readonly onLimit: () => void;
}

/** A standard error that is being read. */
export interface StderrReader {
  /** Settles at the end of the stream, or once it was closed. Never rejects. */
  readonly done: Promise<void>;
  /** The last lines. */
  tail(): readonly string[];
  /** Stops reading. */
  close(): void;
}

const decoder = new TextDecoder();
const LF = 0x0a;
const CR = 0x0d;

/** Begins to read. */
export function readStderr(
  stream: ReadableStream<Bytes>,
  options: StderrOptions,
): StderrReader {
  const kept: string[] = [];
  const lines = createLineSplitter((line) => {
    if (kept.push(line) > KEPT_LINES) kept.shift();
    options.onLine(line);
  });
  const reader = stream.getReader();
  let left = options.limit;
  let limited = false;

  function take(bytes: Bytes): void {
    if (limited) return;
    lines.push(bytes.length <= left ? bytes : bytes.subarray(0, left));
    left -= bytes.length;
    if (left >= 0) return;
    limited = true;
    lines.end();
    options.onLimit();
  }
  async function readAll(): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      take(value);
    }
    lines.end();
  }
  return {
    // A pipe that cannot be read has nothing more to say.
    done: readAll().catch(() => lines.end()),
    tail: () => kept,
    close: () => void reader.cancel().catch(() => {}),
  };
}

/** Cuts bytes into lines. */
interface LineSplitter {
  push(bytes: Bytes): void;
  /** Hands on a line that has no end. */
  end(): void;
}

function createLineSplitter(onLine: (line: string) => void): LineSplitter {
  let rest = new Uint8Array(0);

  function emit(line: Uint8Array): void {
    const end = line.length > 0 && line[line.length - 1] === CR ? line.length - 1 : line.length;
    onLine(decoder.decode(line.subarray(0, end)));
  }
  function push(bytes: Bytes): void {
    let text = bytes;
    if (rest.length > 0) {
      text = new Uint8Array(rest.length + bytes.length);
      text.set(rest);
      text.set(bytes, rest.length);
    }
    let start = 0;
    for (;;) {
      const lineFeed = text.indexOf(LF, start);
      const end = lineFeed < 0 ? text.length : lineFeed;
      while (end - start > LONGEST_LINE) {
        emit(text.subarray(start, start + LONGEST_LINE));
        start += LONGEST_LINE;
      }
      if (lineFeed < 0) break;
      emit(text.subarray(start, lineFeed));
      start = lineFeed + 1;
    }
    rest = text.slice(start);
  }
  return {
    push,
    end() {
      if (rest.length === 0) return;
      const last = rest;
      rest = new Uint8Array(0);
      emit(last);
    },
  };
}
