/**
 * This process as a CGI script, on Node, where the end of a process waits for every thread that reads or writes.
 *
 * @module
 */

import { fstatSync } from "node:fs";
import type { ScriptProcess } from "../../src/runtime.ts";
import { fileInput, nodeScript } from "../shared/node_script.ts";
import { pipeInput } from "./pipe_input.ts";

const { process } = globalThis;

/** The process on Node. */
export const script: ScriptProcess = nodeScript({
  stdin: (limit) => isPipe() ? pipeInput(limit) : fileInput(limit),
  prepare() {
    // `console` writes to it, too.
    Object.defineProperty(process, "stdout", { configurable: true, get: () => process.stderr });
  },
  exit,
});

function isPipe(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    // There is none, which reading says.
    return false;
  }
}

function exit(code: number): never {
  // A thread that writes to a server that does not read would be waited for.
  if (code === 128 + 15) process.removeAllListeners("SIGTERM").kill(process.pid, "SIGTERM");
  return process.exit(code);
}
