/**
 * The end of a connection whose client may still be sending.
 *
 * Closing at once would make the client's system throw away what it has not read yet (RFC 9112 section 9.6).
 *
 * @module
 */

import type { Socket } from "node:net";

/** How long a client has to read the last of what was written, in milliseconds. */
const LINGER = 5000;

/** Writes `last` and ends the connection: when the client has done so, too, or when its time is over. */
export function linger(socket: Socket, last: string | Uint8Array = ""): void {
  socket.end(last);
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once("close", () => clearTimeout(timer));
}
