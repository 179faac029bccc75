/**
 * Servers of `node:https`.
 *
 * @module
 */

import type { Server, ServerOptions } from "node:http";
import { createServer } from "node:https";
import type { TlsOptions } from "../../../src/runtime.ts";
import { checkTls } from "../tls.ts";

/** A server and what can be done with its certificate. */
export interface SecureServer {
  readonly server: Server;
  /** Changes it for connections to come. Bun cannot. */
  readonly setTls?: (tls: TlsOptions) => void;
}

/**
 * Makes one.
 *
 * @throws {ListenError} With the reason "tls".
 */
export function createTlsServer(limits: ServerOptions, tls: TlsOptions): SecureServer {
  const server = createServer({ ...limits, ...checkTls(tls) });
  if (!("setSecureContext" in server)) return { server };
  return { server, setTls: (tls) => server.setSecureContext(checkTls(tls)) };
}
