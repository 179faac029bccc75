/**
 * How connections get to a server of `node:http`.
 *
 * @module
 */

import type { Server as HttpServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
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
