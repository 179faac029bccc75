/**
 * What a command-line program needs of its process, on Node.
 *
 * @module
 */

import { Socket } from "node:net";
import type { Terminal } from "../../src/runtime.ts";
import { nodeTerminal, standardOutput } from "../shared/node_terminal.ts";
import type { Relay } from "../shared/node_workers.ts";
import { process } from "../shared/process.ts";
import { letHeapGrow } from "./heap.ts";
import { RELAYED_ENVIRONMENT, relayedDrop, relayLines } from "./relay.ts";

/** Kept: one that is garbage would close its descriptor. */
const sockets: Socket[] = [];

/** The process. */
export const terminal: Terminal = Object.assign(nodeTerminal(stopWaiting, relayedDrop), {
  becomeServer: letHeapGrow,
});

/** For workers that cannot write to standard error themselves. */
export const relay: Relay = {
  environment: RELAYED_ENVIRONMENT,
  lines: (stderr) => relayLines(stderr, standardOutput(2, stopWaiting)),
};

/**
 * A thread that waits in a write would keep Node from ending, so none is to. `Socket` makes an open file one that does
 * not wait, as Node's own `process.stderr` does: also for those who share it.
 */
function stopWaiting(fd: number): boolean {
  // There, it would make it one that does.
  if (process.platform === "win32") return false;
  try {
    sockets.push(new Socket({ fd, readable: false, writable: true }).unref());
    return true;
  } catch {
    // Neither a socket nor a pipe.
    return false;
  }
}
