/**
 * Servers of `node:https`.
 *
 * @module
 */

import type { Server, ServerOptions } from "node:http";
import { createServer } from "node:https";
import type { TlsOptions } from "../../../src/runtime.ts";
import { type CheckedTls, checkTls } from "../tls.ts";
import type { Sessions } from "./http2_server.ts";

/** A server and what can be done with its certificate. */
export interface SecureServer {
  readonly server: Server;
  /** Changes it for connections to come. Bun cannot. */
  readonly setTls?: (tls: TlsOptions) => void;
  /** Where HTTP/2 is offered. */
  readonly sessions: Sessions | null;
}

interface Renewable {
  setSecureContext(tls: CheckedTls): void;
}

function isRenewable(server: object): server is Renewable {
  return "setSecureContext" in server;
}

/**
 * Makes one.
 *
 * @throws {ListenError} With the reason "tls".
 */
export async function createTlsServer(
  limits: ServerOptions,
  tls: TlsOptions,
  http2: boolean,
): Promise<SecureServer> {
  const checked = checkTls(tls);
  const { server, sessions } = http2
    ? (await import("./http2_server.ts")).createHttp2Server(limits, checked)
    : { server: createServer({ ...limits, ...checked }), sessions: null };
  if (!isRenewable(server)) return { server, sessions };
  return { server, sessions, setTls: (tls) => server.setSecureContext(checkTls(tls)) };
}
