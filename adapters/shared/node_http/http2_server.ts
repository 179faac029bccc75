/**
 * Servers of `node:http2` that speak HTTP/1.1 as well.
 *
 * @module
 */

import type { Server, ServerOptions } from "node:http";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { CheckedTls } from "../tls.ts";
import { HEAD_LIMIT } from "./http2.ts";

/** Most requests at once on a connection. */
const STREAMS = 100;

/** In milliseconds, as with HTTP/1.1. A connection on which nothing moves ends, once its requests are answered. */
const KEEP_ALIVE = 65_000;

/** The connections that speak HTTP/2. */
export interface Sessions {
  /** Whether a socket, of TLS or below it, is of one of them. */
  include(socket: Socket): boolean;
  /** Takes no more requests on them; each ends once those it has are answered. */
  close(): void;
}

/** A server of both versions. */
export interface Http2Server {
  readonly server: Server;
  readonly sessions: Sessions;
}

/** Makes it. */
export function createHttp2Server(limits: ServerOptions, tls: CheckedTls): Http2Server {
  const sessions = new Map<string, ServerHttp2Session>();
  const server: Http2SecureServer = createSecureServer({
    ...tls,
    ...limits,
    allowHTTP1: true,
    maxHeaderListPairs: 1000,
    settings: { maxConcurrentStreams: STREAMS, maxHeaderListSize: HEAD_LIMIT },
  });
  // It would not take these from its options.
  const { requestTimeout, headersTimeout, keepAliveTimeout } = limits;
  Object.assign(server, { requestTimeout, headersTimeout, keepAliveTimeout });
  server.on("session", (session) => {
    const key = keyOf(session.socket);
    sessions.set(key, session);
    session.on("close", () => sessions.delete(key));
    session.setTimeout(KEEP_ALIVE, () => session.close());
  });
  return {
    // Its events bring requests of both kinds.
    server: server as unknown as Server,
    sessions: {
      include: (socket) => sessions.has(keyOf(socket)),
      close() {
        for (const session of sessions.values()) session.close();
      },
    },
  };
}

/** No other connection has it at the same time. */
function keyOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress} ${remotePort}`;
}
