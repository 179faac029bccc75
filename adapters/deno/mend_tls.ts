/**
 * What TLS sockets of Deno's `node:tls` (2.9.6) do not do by themselves.
 *
 * - One that is paused is read from all the same: a client could fill the memory with a body that nobody takes. So the
 *   TCP socket below it is told, too.
 * - Text is written as UTF-8, whatever encoding is asked for, where `node:http` writes heads as ISO 8859-1.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import type { CreateFront } from "../shared/node_http/acceptor.ts";

/** The part of a TCP socket that `node:tls` has taken over. */
type Underlying = Socket & { readonly _handle: { readStart(): void; readStop(): void } | null };

/** Mends all sockets of a server in front. */
export function mendedTls(create: CreateFront): CreateFront {
  const underlying = new Map<string, Underlying>();
  return (onReady) => {
    const front = create((socket) => {
      const tcp = underlying.get(keyOf(socket));
      if (tcp !== undefined) pauseBoth(socket, tcp);
      writeBytes(socket);
      onReady(socket);
    });
    return front.prependListener("connection", (tcp: Underlying) => {
      const key = keyOf(tcp);
      underlying.set(key, tcp);
      tcp.on("close", () => underlying.delete(key));
    });
  };
}

/** No other connection has it at the same time. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function pauseBoth(socket: Socket, tcp: Underlying): void {
  const { pause, resume } = socket;
  socket.pause = () => {
    tcp._handle?.readStop();
    return pause.call(socket);
  };
  socket.resume = () => {
    tcp._handle?.readStart();
    return resume.call(socket);
  };
}

function writeBytes(socket: Socket): void {
  const write: Writable["write"] = socket.write;
  socket.write = function (data: unknown, ...rest: unknown[]): boolean {
    if (typeof data !== "string" || typeof rest[0] !== "string") {
      return Reflect.apply(write, socket, [data, ...rest]);
    }
    const [encoding, ...callback] = rest;
    return Reflect.apply(write, socket, [Buffer.from(data, encoding as BufferEncoding), ...callback]);
  };
}
