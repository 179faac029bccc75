/**
 * Several processes on one port, on Node and Bun: `node:cluster`.
 *
 * @module
 */

import cluster from "node:cluster";
import process from "node:process";
import type { ExitStatus, Line, Worker, Workers } from "../../src/runtime.ts";

/** `Runtime.workers` by processes. */
export const workers: Workers = { start };

/** `Runtime.starter`. From then on signals are the starter's. */
export function starterLine(): Line | null {
  if (!cluster.isWorker) return null;
  // Ctrl-C and service managers signal every process; when to stop is the starter's to say.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  return {
    send(message) {
      if (process.connected) process.send?.(message, undefined, undefined, ignoreFailure);
    },
    onMessage: (callback) => void process.on("message", callback),
  };
}

function start(): Worker {
  const worker = cluster.fork();
  const exited = new Promise<ExitStatus>((resolve) => {
    worker.on("exit", (code: number | null, signal: string | null) => {
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
