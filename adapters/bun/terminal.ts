/**
 * What a command-line program needs of its process, on Node and Bun.
 *
 * @module
 */

import process from "node:process";
import type { Terminal } from "../../src/runtime.ts";

/** The process. */
export const terminal: Terminal = {
  args: process.argv.slice(2),
  cwd: () => process.cwd(),
  stdout(text) {
    return new Promise((resolve) => process.stdout.write(text, () => resolve()));
  },
  stderr(text) {
    process.stderr.write(text);
  },
  isTerminal: { stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true },
  onStop(callback) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => callback(signal));
  },
  // deno-lint-ignore require-await -- as the interface has it
  async exit(code) {
    process.exit(code);
  },
};
