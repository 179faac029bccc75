/**
 * Pieces of a body to a connection, past `node:http`.
 *
 * Where a body's length is not known, `node:http` on Bun sends the length of a piece, the piece and its end by three calls,
 * each of which wakes the client. The system can be told that more follows at once.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * How to send over a connection what fits in without waiting; `null` where it cannot be done. `more` is to follow at once.
 * Says how many bytes those were. What is wrong, the next write to the connection tells.
 */
export type SendNow = (socket: Socket) => ((bytes: Uint8Array, more: boolean) => number) | null;

/** Less than this is `node:http`'s, in bytes. */
const LITTLE = 16 * 1024;

const CHUNK_END = Buffer.from("\r\n");

/**
 * Sends a piece, as a chunk (RFC 9112 section 7.1) or as it is, after the head and all that was written before.
 *
 * `true`: all of it has been sent. A promise: the connection had no room for all, and was given the rest, as it goes on the
 * wire, to write; it is fulfilled when the connection has taken that, or is closed. `null`: nothing was done, and
 * `node:http` is to write the piece.
 */
export function sendPiece(
  outgoing: ServerResponse,
  sendNow: SendNow | null,
  piece: Uint8Array,
  isChunk: boolean,
): true | Promise<void> | null {
  if (sendNow === null || piece.length < LITTLE || !hasSentAll(outgoing)) return null;
  const socket = outgoing.socket!;
  const send = sendNow(socket);
  if (send === null) return null;
  const parts = isChunk
    ? [Buffer.from(`${piece.length.toString(16)}\r\n`, "latin1"), piece, CHUNK_END]
    : [piece];
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]!;
    const sent = Math.max(0, send(part, index < parts.length - 1));
    if (sent < part.length) return write(socket, [part.subarray(sent), ...parts.slice(index + 1)]);
  }
  return true;
}

/** Whether all that was written has left this process. */
export function hasSentAll({ socket, writableLength }: ServerResponse): boolean {
  return socket !== null && !socket.destroyed && writableLength === 0 && socket.writableLength === 0;
}

function write(socket: Socket, parts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("close", done);
      resolve();
    };
    socket.once("close", done);
    const last = parts.at(-1)!;
    for (const part of parts.slice(0, -1)) socket.write(part);
    socket.write(last, done);
  });
}
