/**
 * Bodies of requests on connections that others accept, where Bun's `node:http` (1.4.5) falls short twice:
 *
 * - It reads on however much of a body waits to be taken: a client could fill the memory. So the connection is paused
 *   meanwhile.
 * - Its parser clears memory for each piece of a body and copies it there, which takes a third of the time of an upload.
 *   So a piece that is of the body alone, and not its last, is handed on as it is. The parser gets it all the same, with
 *   nobody to tell of it: it only counts then. What ends a body is the parser's affair as ever.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";

/** How much of a body may wait, in bytes. */
const MOST = 256 * 1024;

/** A request whose body is on its way. */
interface Upload {
  readonly incoming: IncomingMessage;
  /** Of a body of known length, what the parser has not seen yet; else 0. */
  left: number;
}

/** Makes what looks after the bodies on a connection, once `http` has it. */
export function watchUploads(http: Server): (socket: Socket) => void {
  const uploads = new WeakMap<Socket, Upload>();
  function begin(incoming: IncomingMessage): void {
    const { headers, socket } = incoming;
    const length = headers["content-length"];
    const isChunked = headers["transfer-encoding"] !== undefined;
    if (length === undefined && !isChunked) return;
    uploads.set(socket, { incoming, left: isChunked ? 0 : Number(length) });
    const { _read: read } = incoming;
    incoming._read = (size) => {
      read.call(incoming, size);
      socket.resume();
    };
  }
  for (const event of ["request", "checkContinue", "checkExpectation"]) http.prependListener(event, begin);
  return (socket) => {
    passPieces(socket, () => uploads.get(socket));
    socket.on("data", () => {
      const upload = uploads.get(socket);
      if (upload === undefined) return;
      const { incoming } = upload;
      if (incoming.complete || incoming.destroyed) uploads.delete(socket);
      else if (incoming.readableLength >= MOST) socket.pause();
    });
  };
}

type OnBody = (piece: Buffer) => unknown;

/** A connection's parser, as Node has it, too: whom it tells of what is in properties with numbers. */
interface Parser {
  execute(bytes: Buffer): unknown;
  [event: number]: OnBody | null | undefined;
}

function passPieces(socket: Socket, uploadHere: () => Upload | undefined): void {
  const { parser } = socket as { parser?: Parser | null };
  const event = (parser?.constructor as { readonly kOnBody?: unknown } | undefined)?.kOnBody;
  if (!parser || typeof event !== "number") return;
  const { execute, [event]: tell } = parser;
  if (typeof tell !== "function") return;
  function onBody(piece: Buffer): unknown {
    const upload = uploadHere();
    if (upload !== undefined) upload.left -= piece.length;
    return tell!.call(parser, piece);
  }
  parser[event] = onBody;
  parser.execute = (bytes) => {
    const upload = uploadHere();
    if (upload === undefined || bytes.length >= upload.left) return execute.call(parser, bytes);
    parser[event] = null;
    const result = execute.call(parser, bytes);
    parser[event] = onBody;
    onBody(bytes);
    return result;
  };
  // Before `http` gives it back: Bun has a parser for each connection, Node uses them again.
  socket.prependOnceListener("close", () => {
    parser[event] = tell;
    parser.execute = execute;
  });
}
