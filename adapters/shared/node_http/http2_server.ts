/**
 * Servers of `node:http2` beside those of `node:http`.
 *
 * @module
 */

import type { Server as HttpServer } from "node:http";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
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
   * Ends those without a request since this was called so many times, and those whose client has left or is lost: Node
   * (20.20) does not always notice.
   */
  closeUnused(rounds: number): void;
}

/** A server of HTTP/2 that others accept connections for. */
export interface Http2Server {
  /** A client has chosen HTTP/2 on it. */
  take(socket: Socket): void;
  readonly sessions: Sessions;
}

interface Kept {
  readonly session: ServerHttp2Session;
  /** Of TLS. */
  readonly socket: Socket;
  /** Requests under way. */
  streams: number;
  /** The round in which its client last gave a sign. */
  lastSign: number;
}

/** What a request of either version is told by. */
const REQUESTS = ["request", "checkContinue", "checkExpectation", "connect"] as const;

/** Makes it. Its requests are for those who listen to `http`. */
export function createHttp2Server(http: HttpServer): Http2Server {
  const sessions = new Set<Kept>();
  const keys = new Set<string>();
  // The session that is begun with it is told of at once.
  let taken: Socket;
  let round = 0;
  const server = createServer({
    maxHeaderListPairs: 1000,
    maxSessionMemory: MEMORY,
    settings: { maxConcurrentStreams: STREAMS, maxHeaderListSize: HEAD_LIMIT },
  });
  for (const event of REQUESTS) server.on(event, (...message) => void http.emit(event, ...message));
  server.on("session", (session) => {
    const kept: Kept = { session, socket: taken, streams: 0, lastSign: round };
    const key = keyOf(taken);
    sessions.add(kept);
    keys.add(key);
    session.on("close", () => {
      sessions.delete(kept);
      keys.delete(key);
    });
    session.on("stream", (stream) => {
      kept.streams++;
      kept.lastSign = round;
      stream.on("close", () => {
        kept.streams--;
        kept.lastSign = round;
      });
    });
  });
  function look(kept: Kept, rounds: number): void {
    const { session, socket, streams } = kept;
    const quiet = round - kept.lastSign;
    if (quiet > LOST * rounds || isReset(socket)) {
      session.destroy();
      socket.destroy();
    } else if (quiet % rounds === 1 && quiet > rounds && !session.destroyed) {
      if (streams === 0) session.close();
      else session.ping((error) => void (error === null && (kept.lastSign = round)));
    }
  }
  return {
    take(socket) {
      taken = socket;
      server.emit("connection", socket);
    },
    sessions: {
      include: (socket) => keys.has(keyOf(socket)),
      close() {
        for (const { session } of sessions) session.close();
      },
      closeUnused(rounds) {
        round++;
        for (const kept of sessions) look(kept, rounds);
      },
    },
  };
}

/**
 * Whether the client has reset the connection, which has no other end then. Node reads no further while it writes, and
 * forgets a write that has failed: the next one waits forever, and nobody is told of the reset.
 */
function isReset(socket: Socket): boolean {
  const { _handle: handle } = socket as unknown as { readonly _handle: Handle | null };
  const error = handle?.getpeername?.({}) ?? 0;
  return error < 0;
}

/** What is not in the types. */
interface Handle {
  /** Asks the system; what `remoteAddress` says was true once. Returns an error's number. */
  readonly getpeername?: (out: object) => number;
}

/** No other connection has it at the same time. */
function keyOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress} ${remotePort}`;
}
