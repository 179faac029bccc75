/**
 * What a client gets whose request could not be parsed.
 *
 * @module
 */

import type { Socket } from "node:net";

/** Answers a connection that is not going to be used any more. */
export function answerParseError(
  error: Error & { readonly code?: string },
  socket: Socket & { readonly _httpMessage?: unknown },
): void {
  // In the middle of a response a status line would become part of its body.
  const busy = socket._httpMessage !== undefined && socket._httpMessage !== null;
  if (busy || !socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  socket.end(emptyResponse(STATUS.get(error.code ?? "") ?? "400 Bad Request"));
}

const STATUS: ReadonlyMap<string, string> = new Map([
  // Not wrong, only unknown (RFC 9110 section 9.1).
  ["HPE_INVALID_METHOD", "501 Not Implemented"],
  ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large"],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", "413 Payload Too Large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout"],
]);

/** A response without a body, after which the connection is closed. */
export function emptyResponse(status: string): string {
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}
