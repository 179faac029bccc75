/**
 * How connections get to a server of `node:http`.
 *
 * @module
 */

import type { Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { ListenOptions, NetworkAddress } from "../../../src/runtime.ts";
import { listenError, listenErrorReason } from "../listen_error.ts";

/** What accepts connections. */
export interface Acceptor {
  readonly address: NetworkAddress;
  /** Accepts no more, and resolves once all that were accepted are closed. */
  close(): Promise<void>;
}

/** Makes `server` get connections. Rejects with a `ListenError`. */
export type Accept = (server: HttpServer, options: ListenOptions) => Promise<Acceptor>;

/** By itself. */
export const acceptItself: Accept = async (server, options) => {
  const address = await startListening(server, options);
  return { address, close: () => closed(server) };
};

/** Resolves with the address in use. */
export function startListening(server: Server, options: ListenOptions): Promise<NetworkAddress> {
  return new Promise((resolve, reject) => {
    function fail(error: NodeJS.ErrnoException): void {
      reject(listenError(listenErrorReason(error.code), options, error));
    }
    server.once("error", fail);
    const { port, hostname: host, shared: reusePort = false, socket: fd } = options;
    // Deno's threads open the port each; the processes of node:cluster get it from the first one, and need no word.
    server.listen(fd === undefined ? { port, host, reusePort } : { fd }, () => {
      server.off("error", fail);
      const { address, port } = server.address() as AddressInfo;
      resolve({ hostname: address, port });
    });
  });
}

/** Closes the server, and resolves once its connections are closed, too. */
export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Connections that others accept for a server of `node:http`. */
export interface Handover {
  /** A server that accepts them, not listening yet. */
  createAcceptor(): Server;
  /** How many are open. */
  readonly open: number;
  /** Resolves once none is. */
  whenNone(): Promise<void>;
  /** Tells the server that it listens, or no more. */
  setListening(isListening: boolean): void;
}

/** Gives connections to `http`, as if it had accepted them itself. */
export function handOver(http: HttpServer, onConnection: (socket: Socket) => void): Handover {
  let open = 0;
  let isListening = false;
  let whenNone = () => {};
  return {
    // As node:http makes its own.
    createAcceptor: () =>
      createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
        open++;
        socket.on("close", () => {
          if (--open === 0) whenNone();
        });
        onConnection(socket);
        http.emit("connection", socket);
      }),
    get open() {
      return open;
    },
    async whenNone() {
      if (open > 0) await new Promise<void>((resolve) => whenNone = resolve);
    },
    setListening(now) {
      // Then it looks after its limits, and keeps connections for the next request.
      if (!isListening && now) Object.defineProperty(http, "listening", { get: () => isListening });
      isListening = now;
      if (now) http.emit("listening");
    },
  };
}
