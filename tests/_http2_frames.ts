/**
 * HTTP/2 frame by frame, for clients that a library would not be.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";

/** What a frame is (RFC 9113 section 6). */
export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, window: 8 } as const;

/** END_STREAM and END_HEADERS. */
export const WHOLE = 5;

/** A frame. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** The fields of a GET request, as literals (RFC 7541 section 6.2.2). */
export function fieldsOf(path: string): Buffer {
  const fields = { ":method": "GET", ":scheme": "https", ":path": path, ":authority": "localhost" };
  return Buffer.concat(
    Object.entries(fields).flatMap((field) => [
      Buffer.from([0]),
      ...field.flatMap((text) => [Buffer.from([text.length]), Buffer.from(text)]),
    ]),
  );
}

/** Opens a connection, or uses one, and sends what has to come first. It answers nothing. */
export function openFrames(port: number, over?: Socket): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const host = "127.0.0.1";
    const options = { host, port, rejectUnauthorized: false, ALPNProtocols: ["h2"], socket: over };
    const socket = connect(options, () => {
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      socket.write(frame(FRAME.settings, 0, 0));
      resolve(socket);
    });
    socket.on("error", reject);
  });
}
