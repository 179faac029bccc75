/**
 * What a client gets whose request could not be parsed.
 *
 * @module
 */

import { type IncomingMessage, METHODS, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { linger } from "./linger.ts";
import type { Refusals, RefusalStatus } from "./refusal.ts";

/** What the parser of `node:http` fails with. */
interface ParseError extends Error {
  readonly code?: string;
  /** What it could not parse. */
  readonly rawPacket?: Uint8Array;
}

/** A connection, and the response that is next on it. */
type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse<IncomingMessage> | null };

/**
 * Answers a connection that is not going to be used any more. `last`: the request that was found last on it, all that came
 * before it being answered.
 */
export function answerParseError(
  error: ParseError,
  socket: HttpSocket,
  refusals: Refusals,
  last: IncomingMessage | null,
): void {
  const { _httpMessage: next } = socket;
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  if (next) {
    // All was written, and `node:http` has not noticed yet.
    if (next.writableEnded) {
      return void next.once("finish", () => answerParseError(error, socket, refusals, last));
    }
    // In the middle of a response a status line would become part of its body, before one it would answer for another.
    if (next.headersSent || next.req.complete) return void socket.destroy();
  }
  // The rest of a request that has its answer has no other.
  const isAnswered = !next && last?.complete === false;
  linger(socket, isAnswered ? "" : refusals.bytes(statusOf(error)));
}

function statusOf({ code = "", rawPacket }: ParseError): RefusalStatus {
  if (UNTOLD.includes(code) && rawPacket !== undefined && hasUnknownMethod(rawPacket)) return 501;
  return STATUS.get(code) ?? 400;
}

/** What may be an unknown method. Deno's parser does not say what is wrong. */
const UNTOLD: readonly string[] = ["HPE_INVALID_METHOD", "HPE_ERROR"];

/** Whether a request begins with a method that is not wrong, only unknown (RFC 9110 section 9.1). */
function hasUnknownMethod(packet: Uint8Array): boolean {
  const method = /^[\r\n]*([\w!#$%&'*+.^`|~-]+) /.exec(
    new TextDecoder("latin1").decode(packet.subarray(0, 64)),
  );
  return method !== null && !METHODS.includes(method[1]!);
}

const STATUS: ReadonlyMap<string, RefusalStatus> = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", 413],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);
