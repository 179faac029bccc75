/**
 * Several processes on one port, on Node and Bun: `node:cluster`.
 *
 * @module
 */

import cluster from "node:cluster";
import type { Readable } from "node:stream";
import type { ExitStatus, Line, Worker, Workers } from "../../src/runtime.ts";
import { watchHandoffs } from "./handoffs.ts";
import { process } from "./process.ts";

/** Names the starter to a worker: another program, such as a process manager, may have workers as well. */
const STARTER = "HTBIN_STARTER";

/** The way of the workers' standard error through the starter. */
export interface Relay {
  /** What a worker is started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Takes a worker's lines. */
  lines(stderr: Readable): void;
}

/**
 * `Runtime.workers` by processes. With `relay` their standard error goes through the starter. It would be one open file
 * for all, and Node makes it one that waits whenever it starts a process or ends.
 */
export function clusterWorkers(relay: Relay | null): Workers {
  if (relay !== null) cluster.setupPrimary({ stdio: ["inherit", "inherit", "pipe", "ipc"] });
  if (isCompiled()) cluster.setupPrimary(withoutFile());
  return { start: () => start(relay) };
}

/** `Runtime.starter`. From then on signals are the starter's. */
export function starterLine(): Line | null {
  if (!cluster.isWorker || process.env[STARTER] !== String(process.ppid)) return null;
  // Ctrl-C and service managers signal every process; when to stop is the starter's to say.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  return {
    send(message) {
      if (process.connected) process.send?.(message, undefined, undefined, ignoreFailure);
    },
    onMessage: (callback) => void process.on("message", callback),
  };
}

/** Whether this is a program that Bun has compiled: it is started without the name of a file. */
function isCompiled(): boolean {
  return /^(\/\$bunfs|[A-Z]:[\\/]~BUN)[\\/]/.test(process.argv[1] ?? "");
}

/** `node:cluster` would pass on the name that there is all the same, as the first argument. */
function withoutFile(): { readonly exec: string; readonly args: string[] } {
  const [exec = "--", ...args] = process.argv.slice(2);
  return { exec, args };
}

function start(relay: Relay | null): Worker {
  const worker = cluster.fork({ ...relay?.environment, [STARTER]: process.pid });
  watchHandoffs(worker);
  relay?.lines(worker.process.stderr!);
  const exited = new Promise<ExitStatus>((resolve) => {
    // Its last lines may come after its end.
    worker.process.on(relay === null ? "exit" : "close", (code: number | null, signal: string | null) => {
      resolve(signal ? { code: null, signal } : { code, signal: null });
    });
  });
  // One that cannot be started or written to has ended, or is about to.
  worker.on("error", ignoreFailure);
  return {
    id: worker.process.pid ?? 0,
    exited,
    send(message) {
      if (worker.isConnected()) worker.process.send?.(message as object, undefined, undefined, ignoreFailure);
    },
    onMessage: (callback) => void worker.on("message", callback),
    kill: () => void worker.process.kill("SIGKILL"),
  };
}

function ignoreFailure(): void {}
