/**
 * The adapter for Deno.
 *
 * @module
 */

import type { FileSystem, ProcessHost, Runtime } from "../src/runtime.ts";
import { network } from "./deno/network.ts";
import { terminal } from "./deno/terminal.ts";

/** Deno. */
export const deno: Runtime = {
  name: "deno",
  version: Deno.version.deno,
  files: {} as FileSystem,
  processes: {} as ProcessHost,
  network,
  terminal,
};
