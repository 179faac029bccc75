/**
 * The adapter for Bun.
 *
 * @module
 */

import process from "node:process";
import type { FileSystem, ProcessHost, Runtime } from "../src/runtime.ts";
import { network } from "./bun/network.ts";
import { terminal } from "./bun/terminal.ts";

/** Bun. */
export const bun: Runtime = {
  name: "bun",
  version: process.versions["bun"] ?? "",
  files: {} as FileSystem,
  processes: {} as ProcessHost,
  network,
  terminal,
};
