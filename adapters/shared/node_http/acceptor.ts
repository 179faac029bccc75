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

/** Makes a server that accepts connections, not listening yet, and calls this with those on which requests may come. */
export type CreateFront = (onReady: (socket: Socket) => void) => Server;

/** Makes `http` get connections, from such servers where it does not accept them itself. Rejects with a `ListenError`. */
export type Accept = (http: HttpServer, options: ListenOptions, create: CreateFront) => Promise<Acceptor>;

/** A server in front that accepts TCP alone, as `node:http` makes its own. */
export const createTcpFront: CreateFront = (onReady) =>
  createServer({ allowHalfOpen: true, noDelay: true }, onReady);

/** By a server in front. */
export const acceptInFront: Accept = async (http, options, create) => {
  const handover = handOver(http, create);
  const acceptor = handover.createAcceptor();
  const address = await startListening(acceptor, options);
  handover.setListening(true);
  return {
    address,
    async close() {
      handover.setListening(false);
      await closed(acceptor);
      await handover.whenNone();
      // Its timer.
      http.close();
    },
  };
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
export function handOver(
  http: HttpServer,
  create: CreateFront,
  onAccepted: (socket: Socket) => void = () => {},
): Handover {
  let open = 0;
  let isListening = false;
  let whenNone = () => {};
  return {
    createAcceptor() {
      const acceptor = create((socket) => void http.emit("connection", socket));
      acceptor.prependListener("connection", (socket) => {
        open++;
        socket.on("close", () => {
          if (--open === 0) whenNone();
        });
        onAccepted(socket);
      });
      return acceptor;
    },
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
