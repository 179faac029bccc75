/**
 * What a command-line program needs of its process, on Node and Bun.
 *
 * @module
 */

import { fstatSync, statSync } from "node:fs";
import type { Terminal } from "../../src/runtime.ts";
import { browserCommand } from "./browser.ts";
import { type DroppedLines, type Output, output } from "./output.ts";
import { tty } from "./part.ts";
import { process } from "./process.ts";
import { standardStream, type StopWaiting } from "./standard_stream.ts";

/** How long a reader may take for what was written last, in milliseconds. */
const PATIENCE = 1000;

/**
 * Whether the stream leads to a terminal. A terminal is a character device: `node:tty` is asked of no other, nor of
 * `/dev/null`, where a service has its standard input.
 */
function isTerminal(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    if (!stats.isCharacterDevice()) return false;
    const nothing = statSync("/dev/null", { throwIfNoEntry: false });
    return stats.rdev !== nothing?.rdev && tty().isatty(fd);
  } catch {
    // Closed before this process was started.
    return false;
  }
}

/** Which of the standard streams led to a terminal at the start. */
const [inputWas, outputWas, errorsWas] = [0, 1, 2].map(isTerminal) as [boolean, boolean, boolean];

function hasLostTerminal(): boolean {
  return (inputWas || outputWas || errorsWas) && ![0, 1, 2].some(isTerminal);
}

/**
 * Ends the process as the signal would have, had nobody waited for what was running. Node would put the terminal back
 * into its former state, and abort because there is none.
 */
function endByHangup(): void {
  process.removeAllListeners("SIGHUP");
  process.kill(process.pid, "SIGHUP");
}

// Opened when they are first used: a server in somebody else's process has no business with them.
const streams = new Map<1 | 2, Output>();

/** Standard output or standard error. `stopWaiting` is for one that cannot be opened once more. */
export function standardOutput(fd: 1 | 2, stopWaiting: StopWaiting): Output {
  const known = streams.get(fd);
  if (known !== undefined) return known;
  const opened = output(standardStream(fd, stopWaiting));
  streams.set(fd, opened);
  // Also when it is an error that ends the process.
  process.on("exit", opened.flushNow);
  return opened;
}

/** The process. `everyDrop` is said of lines that were dropped, whatever the program would say. */
export function nodeTerminal(stopWaiting: StopWaiting, everyDrop?: DroppedLines): Terminal {
  const stream = (fd: 1 | 2) => standardOutput(fd, stopWaiting);
  return {
    args: process.argv.slice(2),
    pid: process.pid,
    cwd: () => process.cwd(),
    stdout: (text) => stream(1).write(text),
    stderr: (text, dropped) => stream(2).log(text, everyDrop ?? dropped),
    isTerminal: { stdout: outputWas, stderr: errorsWas },
    onStop(callback) {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => callback(signal));
    },
    onHangup: (callback) => void process.on("SIGHUP", () => callback(hasLostTerminal())),
    async openBrowser(url) {
      const { spawn } = await import("node:child_process");
      const [program, args] = browserCommand(process.platform, url);
      await new Promise<void>((resolve, reject) => {
        const child = spawn(program, args, { detached: true, stdio: "ignore" });
        child.once("error", (error) => reject(new Error(`${program} cannot be started: ${error.message}`)));
        child.once("spawn", resolve);
        child.unref();
      });
    },
    async exit(code) {
      await Promise.all([...streams.values()].map((opened) => opened.flush(PATIENCE)));
      if (hasLostTerminal()) endByHangup();
      process.exit(code);
    },
  };
}
