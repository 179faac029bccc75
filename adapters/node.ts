/**
 * The adapter for Node.
 *
 * @module
 */

import process from "node:process";
import type { FileSystem, ProcessHost, Runtime } from "../src/runtime.ts";
import { network } from "./node/network.ts";
import { terminal } from "./node/terminal.ts";

/** Node. */
export const node: Runtime = {
  name: "node",
  version: process.versions.node,
  files: {} as FileSystem,
  processes: {} as ProcessHost,
  network,
  terminal,
};
