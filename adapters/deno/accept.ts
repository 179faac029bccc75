/**
 * Connections that Deno accepts by itself, without `node:net`.
 *
 * @module
 */

import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ListenError, type ListenOptions } from "../../src/runtime.ts";
import { listenError, listenErrorReason } from "../shared/listen_error.ts";
import { type Accept, handOver } from "../shared/node_http/acceptor.ts";
import { passBodies } from "../shared/node_http/pass_bodies.ts";
import { systemCalls } from "./c_library.ts";
import { ConnectionSocket } from "./connection_socket.ts";

/** Why one client that has left cannot be accepted. */
const LEFT: ReadonlySet<unknown> = new Set(["ENOTCONN", "ECONNABORTED", "ECONNRESET"]);

/** How long to wait when none can be accepted, in milliseconds. */
const PAUSE = 100;

/** How often the operator hears of it, in milliseconds. */
const REPORT_INTERVAL = 10_000;

/** Accepts connections for `http`. */
export const acceptNatively: Accept = async (http, options, create) => {
  const listener = await open(options);
  passBodies(http, systemCalls((socket) => (socket as Duplex as ConnectionSocket).descriptor()));
  const handover = handOver(http, create);
  const acceptor = handover.createAcceptor();
  const report = reporterOf(options);
  let isClosing = false;
  async function acceptAll(): Promise<void> {
    while (!isClosing) {
      try {
        const connection = await listener.accept();
        if (isClosing) return connection.close();
        acceptor.emit("connection", new ConnectionSocket(connection) as Duplex as Socket);
      } catch (error) {
        if (isClosing) return;
        // A client that has left before it was met.
        if (LEFT.has((error as { code?: unknown }).code)) continue;
        report(error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  }
  handover.setListening(true);
  const accepting = acceptAll();
  const { hostname, port } = listener.addr;
  return {
    address: { hostname, port },
    async close() {
      isClosing = true;
      handover.setListening(false);
      listener.close();
      // Until then, the port is not free.
      await accepting;
      await handover.whenNone();
      // Its timer.
      http.close();
    },
  };
};

async function open(options: ListenOptions): Promise<Deno.TcpListener> {
  try {
    const { hostname: name, port } = options;
    return Deno.listen({ hostname: isIP(name) === 0 ? await addressOf(name) : name, port });
  } catch (error) {
    throw listenError(listenErrorReason((error as { code?: unknown }).code), options, error);
  }
}

async function addressOf(name: string): Promise<string> {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(name)).address;
}

const TOO_MANY = "this process has too many open files (raise `ulimit -n`)";

/** Tells the operator, now and then, that no connections can be accepted; by default since there are no descriptors left. */
export function reporterOf({ onError }: ListenOptions): (error?: unknown) => void {
  let last = -Infinity;
  return (error) => {
    const now = performance.now();
    if (now - last <= REPORT_INTERVAL) return;
    last = now;
    const { code, message } = error instanceof Error
      ? error as Error & { code?: string }
      : { code: "EMFILE" };
    const reason = code === "EMFILE" ? TOO_MANY : message;
    onError?.(new ListenError("failed", `Cannot accept connections: ${reason}`, { cause: error }));
  };
}
