/**
 * TLS in front of servers that know nothing of it: here hands are shaken, certificates changed, and versions of HTTP
 * chosen.
 *
 * @module
 */

import type { Socket } from "node:net";
import { createSecureContext, createServer, type Server } from "node:tls";
import type { ListenError, TlsOptions } from "../../../src/runtime.ts";
import { type CheckedTls, checkTls, refused, wrongDates } from "../tls.ts";
import type { CreateFront } from "./acceptor.ts";
import type { Http2Server } from "./http2_server.ts";

/** What stands in front. */
export interface TlsFront {
  readonly create: CreateFront;
  /** Changes certificate and key for connections to come. */
  setTls(tls: TlsOptions): void;
}

/** Where its connections go, and who is told of what. */
export interface TlsFrontOptions {
  /** Gets HTTP/2; `null` where it is not offered. */
  readonly http2: Http2Server | null;
  /** A connection was accepted, and hands are to be shaken. */
  readonly onAccepted: (socket: Socket) => void;
  /** How long that may take, in milliseconds. */
  readonly handshakeTimeout: number;
  /** A certificate is used all the same. */
  readonly warn: (error: ListenError) => void;
}

/**
 * Makes it.
 *
 * @throws {ListenError} With the reason "tls".
 */
export function createTlsFront(tls: TlsOptions, options: TlsFrontOptions): TlsFront {
  const { http2, onAccepted, handshakeTimeout, warn } = options;
  const fronts = new Set<Server>();
  const ALPNProtocols = [...(http2 ? ["h2"] : []), "http/1.1"];
  // The last as node:http has it. Half open, the connections of HTTP/2 clients that are gone would stay.
  const own = { ALPNProtocols, handshakeTimeout, allowHalfOpen: http2 === null, noDelay: true };
  let current = usable(tls, warn);
  return {
    create(onReady) {
      const front = createServer({ ...current, ...own });
      fronts.add(front);
      front.on("close", () => fronts.delete(front));
      front.on("connection", onAccepted);
      // There is nobody to say anything to yet.
      front.on("tlsClientError", (_error, socket) => void socket.destroy());
      front.on("secureConnection", (socket) => {
        if (http2 !== null && socket.alpnProtocol === "h2") return http2.take(socket);
        socket.allowHalfOpen = true;
        onReady(socket);
      });
      return front;
    },
    setTls(tls) {
      current = usable(tls, warn);
      for (const front of fronts) front.setSecureContext(current);
    },
  };
}

function usable(tls: TlsOptions, warn: (error: ListenError) => void): CheckedTls {
  const checked = checkTls(tls);
  const problem = wrongDates(checked);
  if (problem !== null) warn(problem);
  try {
    createSecureContext(checked);
  } catch (error) {
    throw refused(error);
  }
  return checked;
}
