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

/**
 * Megabytes of a connection's memory above which Node refuses requests. What waits for a slow client counts; its 10 would
 * be ten images. There are as many streams as there may be, and each waits before it sends more.
 */
const MEMORY = 100_000;

/** How many times as long as an unused one is kept a connection may give no sign of its client. */
const LOST = 5;

/** The connections that speak HTTP/2. */
export interface Sessions {
  /** Whether a socket, of TLS or below it, is of one of them. */
  include(socket: Socket): boolean;
  /** Takes no more requests on them; each ends once those it has are answered. */
  close(): void;
  /**
   * Ends those without a request since this was called so many times, and those whose client is lost: Node (20.20) does not
   * always notice that one has left.
   */
  closeUnused(rounds: number): void;
}

/** A server of both versions. */
export interface Http2Server {
  readonly server: Server;
  readonly sessions: Sessions;
}

interface Kept {
  readonly session: ServerHttp2Session;
  /** Of TLS. */
  socket?: Socket;
  /** Requests under way. */
  streams: number;
  /** The round in which its client last gave a sign. */
  lastSign: number;
}

/** Makes it. */
export function createHttp2Server(limits: ServerOptions, tls: CheckedTls): Http2Server {
  const sessions = new Map<string, Kept>();
  let round = 0;
  const server: Http2SecureServer = createSecureServer({
    ...tls,
    ...limits,
    allowHTTP1: true,
    maxHeaderListPairs: 1000,
    maxSessionMemory: MEMORY,
    settings: { maxConcurrentStreams: STREAMS, maxHeaderListSize: HEAD_LIMIT },
  });
  // It would not take these from its options.
  const { requestTimeout, headersTimeout, keepAliveTimeout } = limits;
  Object.assign(server, { requestTimeout, headersTimeout, keepAliveTimeout });
  server.on("session", (session) => {
    const kept: Kept = { session, streams: 0, lastSign: round };
    const key = keyOf(session.socket);
    sessions.set(key, kept);
    session.on("close", () => sessions.delete(key));
    session.on("stream", (stream) => {
      kept.streams++;
      kept.lastSign = round;
      stream.on("close", () => {
        kept.streams--;
        kept.lastSign = round;
      });
    });
  });
  server.on("secureConnection", (socket) => {
    const kept = sessions.get(keyOf(socket));
    if (kept !== undefined) kept.socket = socket;
  });
  function look(kept: Kept, rounds: number): void {
    const { session, streams } = kept;
    const quiet = round - kept.lastSign;
    if (quiet > LOST * rounds) {
      session.destroy();
      kept.socket?.destroy();
    } else if (quiet % rounds === 1 && quiet > rounds && !session.destroyed) {
      if (streams === 0) session.close();
      else session.ping((error) => void (error === null && (kept.lastSign = round)));
    }
  }
  return {
    // Its events bring requests of both kinds.
    server: server as unknown as Server,
    sessions: {
      include: (socket) => sessions.has(keyOf(socket)),
      close() {
        for (const { session } of sessions.values()) session.close();
      },
      closeUnused(rounds) {
        round++;
        for (const kept of sessions.values()) look(kept, rounds);
      },
    },
  };
}

/** No other connection has it at the same time. */
function keyOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress} ${remotePort}`;
}
