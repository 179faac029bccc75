/**
 * The command line in this process: everything is real but the terminal.
 *
 * @module
 */

import { runtime } from "../../adapters/auto.ts";
import { run } from "../../src/cli/main.ts";
import type { Runtime, Terminal } from "../../src/runtime.ts";

/** What a command that has ended left behind. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server that has said where it listens. */
export interface RunningHere {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  stdout(): string;
  stderr(): string;
  /** Sends the signal to stop. */
  signal(): void;
  /** Sends SIGHUP, because the terminal is gone or for files to be read anew. */
  hangUp(isGone: boolean): void;
  /** Whether the process was told that it is to be a server and nothing else. */
  becameServer(): boolean;
  readonly ended: Promise<Outcome>;
  /** Stops it, at once. */
  stop(): Promise<Outcome>;
}

/** Runs a command that ends by itself. */
export async function runHere(args: readonly string[], changes: Partial<Runtime> = {}): Promise<Outcome> {
  return await launch(args, changes).ended;
}

/** Starts a server. */
export async function startHere(
  args: readonly string[],
  changes: Partial<Runtime> = {},
): Promise<RunningHere> {
  const launched = launch(args, changes);
  const started = await Promise.race([launched.banner, launched.ended]);
  if (typeof started !== "string") throw new Error(`It ended: ${JSON.stringify(started)}`);
  const [, url] = /["(](https?:\/\/[^"]*)\/[")]/.exec(started) ?? [];
  if (url === undefined) throw new Error(`No URL in the first line: ${started}`);
  return {
    ...launched,
    url,
    port: Number(new URL(url).port),
    stop() {
      launched.signal();
      // The second signal does not wait.
      launched.signal();
      return launched.ended;
    },
  };
}

interface Launched extends Omit<RunningHere, "url" | "port" | "stop"> {
  readonly banner: Promise<string>;
}

function launch(args: readonly string[], changes: Partial<Runtime>): Launched {
  const text = { stdout: "", stderr: "" };
  let becameServer = false;
  let onStop = (_signal: "SIGINT" | "SIGTERM"): void => {};
  let onHangup = (_isGone: boolean): void => {};
  let print = (_line: string): void => {};
  const banner = new Promise<string>((resolve) => print = resolve);
  const terminal: Terminal = {
    args,
    pid: runtime.terminal.pid,
    cwd: () => runtime.terminal.cwd(),
    stdout(piece) {
      text.stdout += piece;
      if (text.stdout.includes("\n")) print(text.stdout);
      return Promise.resolve();
    },
    stderr: (piece) => void (text.stderr += piece),
    isTerminal: { stdout: false, stderr: false },
    onStop: (callback) => void (onStop = callback),
    onHangup: (callback) => void (onHangup = callback),
    openBrowser: () => Promise.resolve(),
    becomeServer: () => void (becameServer = true),
    exit: () => Promise.reject(new Error("run() does not end the process")),
  };
  const ended = run({ ...runtime, ...changes, terminal }).then((code) => ({ code, ...text }));
  return {
    banner,
    ended,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    signal: () => onStop("SIGINT"),
    hangUp: (isGone) => onHangup(isGone),
    becameServer: () => becameServer,
  };
}
