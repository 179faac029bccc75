/**
 * This process as a CGI script, on Node and Bun.
 *
 * @module
 */

import { read, readFileSync, write, writeSync } from "node:fs";
import { type Bytes, ClosedOutputError, type ScriptProcess } from "../../src/runtime.ts";
import { parseEnvironment } from "./environment_bytes.ts";
import { limitedInput } from "./limited_input.ts";

/** Not imported: Node would make all three standard streams then, which takes a tenth of a script's time. */
const { process } = globalThis;

/** What a write fails with when nobody reads. EBADF: the script was started without an output. */
const CLOSED: ReadonlySet<string | undefined> = new Set(["EPIPE", "ECONNRESET", "ENOTCONN", "EBADF"]);

/** How soon the other end of a pipe is tried again, in milliseconds. */
const PAUSE = 5;

/** The process, but for what the two do differently. */
export function nodeScript(own: Pick<ScriptProcess, "stdin" | "prepare" | "exit">): ScriptProcess {
  return {
    ...own,
    args: process.argv.slice(2),
    environment,
    unset: (name) => void delete process.env[name],
    async stdout(bytes) {
      for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await writeSome(rest));
    },
    stderr(text) {
      try {
        writeSync(2, text);
      } catch {
        // Nobody is there to be told.
      }
    },
    onStop: (callback) => void process.on("SIGTERM", callback),
  };
}

/** Standard input where waiting for it holds nothing up. */
export function fileInput(limit: number | null): ReadableStream<Bytes> {
  return limitedInput(limit, readSome, () => {});
}

async function readSome(buffer: Bytes): Promise<number> {
  for (;;) {
    const length = await tryToRead(buffer);
    if (length !== null) return length;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** `null` where somebody has set the pipe to fail in place of waiting, and nothing is there. */
function tryToRead(buffer: Bytes): Promise<number | null> {
  return new Promise((resolve, reject) => {
    read(0, buffer, 0, buffer.length, null, (error, length) => {
      if (error === null) resolve(length);
      else if (error.code === "EAGAIN") resolve(null);
      else reject(error);
    });
  });
}

function writeSome(bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(1, bytes, 0, bytes.length, null, (error, taken) => {
      if (error === null) resolve(taken);
      // Somebody has set the pipe to fail in place of waiting.
      else if (error.code === "EAGAIN") setTimeout(resolve, PAUSE, 0);
      else if (CLOSED.has(error.code)) {
        reject(new ClosedOutputError("Nobody reads the output", { cause: error }));
      } else reject(error);
    });
  });
}

function environment(): Record<string, string> {
  const variables = { ...process.env } as Record<string, string>;
  if (!Object.values(variables).some((value) => value.includes("\ufffd"))) return variables;
  try {
    return parseEnvironment(readFileSync("/proc/self/environ"));
  } catch {
    return variables;
  }
}
