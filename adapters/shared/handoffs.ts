/**
 * No connection is lost with a worker that dies.
 *
 * Before 22.12, Node cannot share a port (`reusePort`): `node:cluster` accepts connections in the starter and hands each
 * to a worker, which answers whether it takes it. From one that dies first no answer comes, and the connection stays with
 * the starter: open, unread and nobody's. Here it is refused in the worker's place, so that `node:cluster` hands it to
 * another one. Later ones, and Bun, let the workers accept: nothing is handed on then, and nothing is done here.
 *
 * There is no public API for that: the messages are those of Node's `lib/internal/cluster`. With others, all is as if this
 * was not here.
 *
 * @module
 */

import type { ChildProcess } from "node:child_process";
import cluster, { type Worker } from "node:cluster";

/** A connection that is handed on: what is below a `Socket`. */
interface Handle {
  close(): void;
}

/** "Take this connection", and the answer to it. */
interface Handoff {
  readonly cmd: "NODE_CLUSTER";
  readonly act: "newconn";
  /** Of the listening socket. */
  readonly key: string;
  readonly seq: number;
}
interface Answer {
  readonly cmd: "NODE_CLUSTER";
  readonly ack: number;
  readonly accepted: boolean;
}

/** How long another worker may take to become free, in milliseconds. */
const PATIENCE = 1000;

/** Who was given a connection last. */
const holders = new WeakMap<Handle, ChildProcess>();

/** Looks after the connections that are handed to a worker. */
export function watchHandoffs(worker: Worker): void {
  const child = worker.process;
  // Of each listening socket the last one: it gets no other before it has answered.
  const given = new Map<string, { readonly seq: number; readonly handle: Handle }>();
  const send = child.send as (...args: unknown[]) => boolean;
  child.send = (...args: unknown[]) => {
    const [message, handle] = args as [Partial<Handoff> | null, Handle?];
    if (handle && message?.cmd === "NODE_CLUSTER" && message.act === "newconn") {
      given.set(String(message.key), { seq: Number(message.seq), handle });
      holders.set(handle, child);
    }
    return send.apply(child, args);
  };
  child.on("internalMessage", ({ ack, accepted }: Partial<Answer>) => {
    if (accepted !== false) return;
    // There may be no other worker that takes it: all have died, or are about to end.
    for (const { seq, handle } of given.values()) {
      if (seq === ack) setTimeout(closeIfLeft, PATIENCE, handle).unref();
    }
  });
  function closeIfLeft(handle: Handle): void {
    if (holders.get(handle) === child) handle.close();
  }
  // By then all is read that it has said.
  child.once("close", () => {
    if (given.size === 0) return;
    // With a connection under way, Node does not notice that the worker is gone.
    if (cluster.workers?.[worker.id]) worker.disconnect();
    for (const { seq, handle } of given.values()) {
      if (holders.get(handle) !== child) continue;
      child.emit("internalMessage", { cmd: "NODE_CLUSTER", ack: seq, accepted: false } satisfies Answer);
    }
  });
}
