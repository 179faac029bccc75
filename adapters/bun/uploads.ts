/**
 * Bodies of requests on connections that others accept, where Bun's `node:http` (1.4.5) reads on however much of a body
 * waits to be taken: a client could fill the memory. So the connection is paused meanwhile.
 *
 * @module
 */

import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";

/** How much of a body may wait, in bytes. */
const MOST = 256 * 1024;

/** Makes what looks after the bodies on a connection, once `http` has it. */
export function watchUploads(http: Server): (socket: Socket) => void {
  const uploads = new WeakMap<Socket, IncomingMessage>();
  function begin(incoming: IncomingMessage): void {
    const { headers, socket } = incoming;
    if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return;
    uploads.set(socket, incoming);
    const { _read: read } = incoming;
    incoming._read = (size) => {
      read.call(incoming, size);
      socket.resume();
    };
  }
  for (const event of ["request", "checkContinue", "checkExpectation"]) http.prependListener(event, begin);
  return (socket) => {
    socket.on("data", () => {
      const incoming = uploads.get(socket);
      if (incoming === undefined) return;
      if (incoming.complete || incoming.destroyed) uploads.delete(socket);
      else if (incoming.readableLength >= MOST) socket.pause();
    });
  };
}
