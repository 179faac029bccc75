/**
 * The adapter for Node.
 *
 * @module
 */

import type { Runtime } from "../src/runtime.ts";
import { nodeNow } from "./node/clock.ts";
import { files } from "./node/files.ts";
import { network } from "./node/network.ts";
import { processes } from "./node/processes.ts";
import { relay, terminal } from "./node/terminal.ts";
import { process } from "./shared/process.ts";
import { ownDescriptor } from "./shared/standard_stream.ts";

export { type NodeListener, toNodeListener } from "./shared/node_http/node_listener.ts";

/**
 * Node.
 *
 * @example
 * ```ts
 * if ("process" in globalThis) {
 *   const { node } = await import("htbin/node");
 *   console.assert(node.name === "node");
 * }
 * ```
 */
export const node: Runtime = {
  name: "node",
  version: process.versions.node,
  files,
  processes,
  network,
  terminal,
  // Not before it is asked for: most programs are one.
  async workers() {
    const { clusterWorkers } = await import("./shared/node_workers.ts");
    return clusterWorkers(ownDescriptor(2) === null ? relay : null);
  },
  // Who was started as a worker has a channel.
  starter: async () => process.send ? (await import("./shared/node_workers.ts")).starterLine() : null,
  now: nodeNow,
};
