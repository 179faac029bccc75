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
}

/** An ordered way to a sink. */
export interface Output {
  /** Resolves once the system has taken the text and all before it, or nobody will. */
  write(text: string): Promise<void>;
  /** The same without anybody waiting: what the reader is too slow for is left out, and how much is said in its place. */
  log(text: string): void;
  /** Resolves once nothing is waiting, or after `patience` milliseconds. */
  flush(patience: number): Promise<void>;
  /** Writes what the system takes at once, as the last thing that is done. */
  flushNow(): void;
}

/** Most that waits for a slow reader, in characters. */
const LIMIT = 1024 * 1024;

/** Most that is written at once, in characters. */
const BATCH = 64 * 1024;

const encoder = new TextEncoder();

/** How soon a reader is tried again that takes nothing, in milliseconds: first, and at most. */
const PAUSE = [10, 200] as const;

interface Entry {
  text(): string;
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
    append: (text) => void (all += text),
    text: () => all,
    get length() {
      return all.length;
    },
    done() {},
  };
}

/** Makes an output. `name` is what its reader reads, for the note that something was left out. */
export function output(sink: Sink, name: string): Output {
  const waiting: Entry[] = [];
  /** The last that waits, where more can go along with it. */
  let lines: Lines | null = null;
  let length = 0;
  let lost: { lines: number } | null = null;
  let rest: Uint8Array = new Uint8Array();
  let pumping: Promise<void> | null = null;
  let isGone = false;

  function add(entry: Entry): void {
    lines = null;
    waiting.push(entry);
    length += entry.length;
    pumping ??= pump();
  }
  function addLine(text: string): void {
    if (lines !== null && lines.length < BATCH) {
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
    for (let size = 0; waiting.length > 0 && size < BATCH; size += batch.at(-1)!.length) {
      batch.push(waiting.shift()!);
    }
    if (waiting.length === 0) lines = null;
    const text = batch.map((entry) => entry.text()).join("");
    rest = encoder.encode(text);
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
      const taken = await sink.write(rest);
      rest = rest.subarray(taken);
      if (taken > 0) pause = PAUSE[0];
      else await sleep(pause = Math.min(pause * 2, PAUSE[1]));
    }
  }
  function loseLines(text: string): void {
    const count = text.split("\n").length - 1;
    if (lost !== null) {
      lost.lines += count;
      return;
    }
    const here = { lines: count };
    lost = here;
    add({
      text() {
        lost = null;
        return `htbin: ${here.lines} lines were left out here, because ${name} was not read\n`;
      },
      length: 0,
      done() {},
    });
  }
  return {
    write: (text) =>
      new Promise((done) => {
        if (isGone) done();
        else add({ text: () => text, length: text.length, done });
      }),
    log(text) {
      if (isGone) return;
      if (length + text.length > LIMIT) loseLines(text);
      else addLine(text);
    },
    flush: async (patience) => void await Promise.race([pumping, sleep(patience)]),
    flushNow() {
      try {
        while (true) {
          const taken = rest.length > 0 ? sink.write(rest) : 0;
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
