/**
 * Requests in the middle of which their client ends its side: Deno's parser (2.9.6) notices, and its `node:http` does not
 * look, and closes the connection without a word. Node's emits `clientError`.
 *
 * @module
 */

import type { Server } from "node:http";
import type { Socket } from "node:net";

/** The part of a parser that is used here. */
interface Parser {
  /** That nothing more comes. */
  finish(): unknown;
}

/** What it says when there should have been more. */
const CUT = -1;

/** Has a server told of them as Node tells. */
export function tellOfCutRequests(http: Server): void {
  http.on("connection", (socket: Socket & { readonly parser?: Parser | null }) => {
    // Before `node:http` ends its own side.
    socket.prependListener("end", () => {
      if (socket.parser?.finish() === CUT) http.emit("clientError", new Error("Parse Error"), socket);
    });
  });
}
