/**
 * Servers of `node:https`.
 *
 * @module
 */

import type { Server, ServerOptions } from "node:http";
import { createServer } from "node:https";
import type { ListenError, TlsOptions } from "../../../src/runtime.ts";
import { type CheckedTls, checkTls, refused, wrongDates } from "../tls.ts";
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
 * Makes one. `warn` is called for a certificate that is used all the same.
 *
 * @throws {ListenError} With the reason "tls".
 */
export async function createTlsServer(
  limits: ServerOptions,
  tls: TlsOptions,
  http2: boolean,
  warn: (error: ListenError) => void,
): Promise<SecureServer> {
  const make = http2
    ? (await import("./http2_server.ts")).createHttp2Server
    : (limits: ServerOptions, tls: CheckedTls) => ({
      server: createServer({ ...limits, ...tls }),
      sessions: null,
    });
  const { server, sessions } = use(tls, warn, (checked) => make(limits, checked));
  if (!isRenewable(server)) return { server, sessions };
  return { server, sessions, setTls: (tls) => use(tls, warn, (checked) => server.setSecureContext(checked)) };
}

function use<T>(tls: TlsOptions, warn: (error: ListenError) => void, take: (tls: CheckedTls) => T): T {
  const checked = checkTls(tls);
  const problem = wrongDates(checked);
  if (problem !== null) warn(problem);
  try {
    return take(checked);
  } catch (error) {
    throw refused(error);
  }
}
