/**
 * The adapter for Deno.
 *
 * @module
 */

import type { Runtime } from "../src/runtime.ts";
import { files } from "./deno/files.ts";
import { network } from "./deno/network.ts";
import { processes } from "./deno/processes.ts";
import { terminal } from "./deno/terminal.ts";
import { starterLine } from "./deno/thread.ts";

/**
 * Deno.
 *
 * @example
 * ```ts
 * if ("Deno" in globalThis) {
 *   const { deno } = await import("htbin/deno");
 *   console.assert(deno.name === "deno");
 * }
 * ```
 */
export const deno: Runtime = {
  name: "deno",
  version: Deno.version.deno,
  files,
  processes,
  network,
  terminal,
  // Not before it is asked for: most programs are one.
  workers: async () => (await import("./deno/workers.ts")).workers,
  starter: () => Promise.resolve(starterLine()),
};
