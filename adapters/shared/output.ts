/**
 * Text for a reader who may be slow, asleep or gone. The server never waits for it.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Where the bytes go. */
export interface Sink {
  /** How many of the bytes the system has taken; 0 when it takes none at the moment. Fails when it never will again. */
  write(bytes: Uint8Array): number | Promise<number>;
  /** The same at once, where `write()` does it later. Used at the end, when nothing else is being written. */
  writeNow?(bytes: Uint8Array): number;
}

/** An ordered way to a sink. */
export interface Output {
  /** Resolves once the system has taken the text and all before it, or nobody will. */
  write(text: string): Promise<void>;
  /**
   * The same without anybody waiting: lines that the reader is too slow for are dropped, and in the place of each row of
   * them stands what `dropped` says of their number. It holds for later lines, too.
   */
  log(text: string, dropped?: DroppedLines): void;
  /** So many lines were dropped before they came here. */
  drop(lines: number): void;
  /** Resolves once nothing is waiting, or after `patience` milliseconds. */
  flush(patience: number): Promise<void>;
  /** Writes what the system takes at once, as the last thing that is done. */
  flushNow(): void;
}

/** What is written in the place of so many lines. */
export type DroppedLines = (lines: number) => string;

/** What that may take, in characters. */
const NOTE = 512;

const DROPPED: DroppedLines = (lines) => `htbin: ${lines} lines were dropped here\n`;

/** Most that waits for a slow reader, in characters. To count the bytes of each line takes longer than to write it. */
const LIMIT = 1024 * 1024;

/**
 * Most that is written at once, in bytes. A pipe takes that much whole or not at all (PIPE_BUF), so that the lines of
 * several workers are not mixed.
 */
const BATCH = 4096;

const encoder = new TextEncoder();

/** How soon a reader is tried again that takes nothing, in milliseconds: first, and at most. */
const PAUSE = [10, 200] as const;

const LINE_END = 10;

interface Entry {
  text(): string;
  /** In characters. */
  readonly length: number;
  readonly done: () => void;
}

/** Texts that nobody waits for, on their way together. */
interface Lines extends Entry {
  append(text: string): void;
}

function linesOf(first: string): Lines {
  let all = first;
  return {
    append(text) {
      all += text;
    },
    text: () => all,
    get length() {
      return all.length;
    },
    done() {},
  };
}

/** As much as may be written at once. A line that is longer is written as it is. */
function pieceOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= BATCH) return bytes;
  const end = bytes.lastIndexOf(LINE_END, BATCH - 1) + 1 || bytes.indexOf(LINE_END) + 1;
  return end === 0 ? bytes : bytes.subarray(0, end);
}

/** Makes an output. */
export function output(sink: Sink): Output {
  const waiting: Entry[] = [];
  /** The last that waits, where more can go along with it. */
  let lines: Lines | null = null;
  let length = 0;
  let lost: { lines: number } | null = null;
  /** For what is being written, if it is not longer. */
  const room = new Uint8Array(BATCH);
  let rest = room.subarray(0, 0);
  let pumping: Promise<void> | null = null;
  let isWriting = false;
  let isGone = false;
  let say = DROPPED;

  function add(entry: Entry): void {
    lines = null;
    waiting.push(entry);
    length += entry.length;
    pumping ??= pump();
  }
  function addLine(text: string): void {
    if (lines !== null && lines.length + text.length <= BATCH) {
      lines.append(text);
      length += text.length;
      return;
    }
    const begun = linesOf(text);
    add(begun);
    lines = begun;
  }
  function take(): Entry[] {
    const batch: Entry[] = [];
    let size = 0;
    do {
      const entry = waiting.shift()!;
      size += entry.length;
      batch.push(entry);
    } while (waiting.length > 0 && size + waiting[0]!.length <= BATCH);
    if (waiting.length === 0) lines = null;
    const text = batch.length === 1 ? batch[0]!.text() : batch.map((entry) => entry.text()).join("");
    const { read, written } = encoder.encodeInto(text, room);
    rest = read === text.length ? room.subarray(0, written) : encoder.encode(text);
    return batch;
  }
  async function pump(): Promise<void> {
    // Whatever else is written in this turn of the event loop goes along: requests come many at a time.
    await turn();
    while (waiting.length > 0 && !isGone) {
      const batch = take();
      await writeRest().catch(() => isGone = true);
      for (const entry of batch) {
        length -= entry.length;
        entry.done();
      }
    }
    for (const entry of waiting.splice(0)) entry.done();
    length = 0;
    pumping = null;
  }
  async function writeRest(): Promise<void> {
    let pause: number = PAUSE[0];
    while (rest.length > 0) {
      isWriting = true;
      const taken = await sink.write(pieceOf(rest));
      isWriting = false;
      rest = rest.subarray(taken);
      if (taken > 0) pause = PAUSE[0];
      else await sleep(pause = Math.min(pause * 2, PAUSE[1]));
    }
  }
  function drop(count: number): void {
    if (lost !== null) {
      lost.lines += count;
      return;
    }
    const here = { lines: count };
    lost = here;
    add({
      text() {
        lost = null;
        return say(here.lines);
      },
      length: NOTE,
      done() {},
    });
  }
  return {
    write: (text) =>
      new Promise((done) => {
        if (isGone) done();
        else add({ text: () => text, length: text.length, done });
      }),
    log(text, dropped) {
      say = dropped ?? say;
      if (isGone) return;
      if (length + text.length > LIMIT) drop(text.split("\n").length - 1);
      else addLine(text);
    },
    drop,
    flush: async (patience) => void await Promise.race([pumping, sleep(patience)]),
    flushNow() {
      try {
        while (true) {
          // Whoever keeps a write waiting would keep this one waiting, too.
          if (isWriting && sink.writeNow !== undefined) return;
          const taken = rest.length === 0 ? 0 : sink.writeNow?.(pieceOf(rest)) ?? sink.write(pieceOf(rest));
          if (typeof taken !== "number" || (rest.length > 0 && taken === 0)) return;
          rest = rest.subarray(taken);
          if (rest.length > 0) continue;
          if (waiting.length === 0) return;
          take();
        }
      } catch {
        // Nobody is there to be told.
      }
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
