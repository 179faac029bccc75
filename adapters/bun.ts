/**
 * The adapter for Bun.
 *
 * @module
 */

import type { Runtime } from "../src/runtime.ts";
import { files } from "./bun/files.ts";
import { network } from "./bun/network.ts";
import { processes } from "./bun/processes.ts";
import { terminal } from "./bun/terminal.ts";
import { process } from "./shared/process.ts";

/**
 * Bun.
 *
 * @example
 * ```ts
 * if ("Bun" in globalThis) {
 *   const { bun } = await import("htbin/bun");
 *   console.assert(bun.name === "bun");
 * }
 * ```
 */
export const bun: Runtime = {
  name: "bun",
  version: process.versions["bun"] ?? "",
  files,
  processes,
  network,
  terminal,
  // Not before it is asked for: most programs are one.
  workers: async () => (await import("./shared/node_workers.ts")).clusterWorkers(null),
  // Who was started as a worker has a channel.
  starter: async () => process.send ? (await import("./shared/node_workers.ts")).starterLine() : null,
};
