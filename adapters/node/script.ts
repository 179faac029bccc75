/**
 * This process as a CGI script, on Node, where the end of a process waits for every thread that reads or writes.
 *
 * @module
 */

import { fstatSync } from "node:fs";
import process from "node:process";
import type { ScriptProcess } from "../../src/runtime.ts";
import { fileInput, nodeScript } from "../shared/node_script.ts";
import { pipeInput } from "./pipe_input.ts";

/** The process on Node. */
export const script: ScriptProcess = nodeScript(
  (limit) => isFile() ? fileInput(limit) : pipeInput(limit),
  exit,
);

function isFile(): boolean {
  try {
    return fstatSync(0).isFile();
  } catch {
    // There is none, which reading says.
    return true;
  }
}

function exit(code: number): never {
  // A thread that writes to a server that does not read would be waited for.
  if (code === 128 + 15) process.removeAllListeners("SIGTERM").kill(process.pid, "SIGTERM");
  return process.exit(code);
}
