/**
 * What a command-line program needs of its process, on Deno.
 *
 * @module
 */

import type { Terminal } from "../../src/runtime.ts";
import { browserCommand } from "../shared/browser.ts";
import { output, type Sink } from "../shared/output.ts";
import { isFile } from "../shared/standard_stream.ts";
import { isGranted } from "./permissions.ts";
import { reportExit } from "./thread.ts";

/** How long a reader may take for what was written last, in milliseconds. */
const PATIENCE = 1000;

const out = output(sink(Deno.stdout, 1));
const err = output(sink(Deno.stderr, 2));

function sink(stream: typeof Deno.stdout | typeof Deno.stderr, fd: 1 | 2): Sink {
  const writeNow = (bytes: Uint8Array) => stream.writeSync(bytes);
  // To have it written in a thread takes longer than to write it, but keeps nobody waiting.
  return isFile(fd) ? { write: writeNow } : { write: (bytes) => stream.write(bytes), writeNow };
}

// What the program says before it falls over.
for (const end of ["error", "unhandledrejection"]) addEventListener(end, err.flushNow);

/** Whether any of the standard streams leads to a terminal that is still there. */
function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
}

/** The process on Deno. */
export const terminal: Terminal = {
  args: Deno.args,
  pid: Deno.pid,
  cwd: () => Deno.cwd(),
  stdout: out.write,
  stderr: err.log,
  isTerminal: { stdout: Deno.stdout.isTerminal(), stderr: Deno.stderr.isTerminal() },
  onStop(callback) {
    // On Windows there is Ctrl-C alone.
    const signals = Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
    for (const signal of signals) Deno.addSignalListener(signal, () => callback(signal));
  },
  onHangup(callback) {
    if (Deno.build.os === "windows") return;
    const hadTerminal = hasTerminal();
    Deno.addSignalListener("SIGHUP", () => callback(hadTerminal && !hasTerminal()));
  },
  // deno-lint-ignore require-await
  async openBrowser(url) {
    const [program, args] = browserCommand(Deno.build.os, url);
    if (!isGranted({ name: "run", command: program })) {
      throw new Error(`Deno was not started with --allow-run=${program}`);
    }
    try {
      const child = new Deno.Command(program, {
        args: [...args],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      })
        .spawn();
      child.unref();
    } catch (error) {
      throw new Error(`${program} cannot be started: ${(error as Error).message}`, { cause: error });
    }
  },
  async exit(code) {
    await Promise.all([out.flush(PATIENCE), err.flush(PATIENCE)]);
    reportExit(code);
    Deno.exit(code);
  },
};
