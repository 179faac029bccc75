/**
 * What a command-line program needs of its process, on Deno.
 *
 * @module
 */

import type { Terminal } from "../../src/runtime.ts";

const encoder = new TextEncoder();
let written: Promise<unknown> = Promise.resolve();

/** The process on Deno. */
export const terminal: Terminal = {
  args: Deno.args,
  cwd: () => Deno.cwd(),
  async stdout(text) {
    await Deno.stdout.write(encoder.encode(text)).catch(() => {});
  },
  stderr(text) {
    written = written.then(() => Deno.stderr.write(encoder.encode(text))).catch(() => {});
  },
  isTerminal: { stdout: Deno.stdout.isTerminal(), stderr: Deno.stderr.isTerminal() },
  onStop(callback) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => callback(signal));
    }
  },
  async exit(code) {
    await written;
    Deno.exit(code);
  },
};
