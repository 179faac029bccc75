/**
 * HTTP/2 by `node:http2`, whose requests and responses are made to look like those of `node:http`: the same code answers
 * both. A stream stands for the connection, so that its end is the client's leaving.
 *
 * @module
 */

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { setImmediate } from "node:timers";

/** What a stream is reset with (RFC 9113 section 7). */
const NO_ERROR = 0;
const INTERNAL_ERROR = 2;

/** As much as a head may be in HTTP/1.1, in bytes. `node:http2` tells clients, and takes more all the same. */
export const HEAD_LIMIT: number = 16 * 1024;

/** Whether a request of HTTP/2 has a larger one. That of HTTP/1.1 the parser has refused. */
export function isHeadTooLarge(incoming: IncomingMessage): boolean {
  return streamOf(incoming) !== null &&
    incoming.rawHeaders.reduce((size, text) => size + text.length, 0) > HEAD_LIMIT;
}

/** The stream of a request or a response; `null` for HTTP/1. */
export function streamOf(message: IncomingMessage | ServerResponse): ServerHttp2Stream | null {
  return "stream" in message ? message.stream as ServerHttp2Stream : null;
}

/** Makes a request and its response look like HTTP/1.1, where they are HTTP/2. */
export function likeHttp1(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const stream = streamOf(incoming);
  if (stream === null) return;
  const { headers } = incoming;
  const authority = headers[":authority"] as string | undefined;
  // RFC 9113 section 8.3.1: a host beside it says the same, or there are two.
  const fields = authority === undefined ? [] : ["host", authority];
  incoming.rawHeaders.forEach((name, at, raw) => {
    const value = raw[at + 1]!;
    if (at % 2 === 1 || name.startsWith(":") || name === "host" && value === authority) return;
    fields.push(name, value);
  });
  Object.defineProperty(incoming, "rawHeaders", { value: fields });
  if (authority !== undefined) headers.host = authority;
  Object.defineProperty(incoming, "complete", { get: () => stream.readableEnded && !isCut(stream) });
  // A body whose length is not known: what chunks are there.
  if (!stream.endAfterHeaders && headers["content-length"] === undefined) {
    headers["transfer-encoding"] = "chunked";
  }
  // Its end is marked, whatever its length.
  Object.defineProperty(outgoing, "chunkedEncoding", { value: true });
  const writeHead = outgoing.writeHead.bind(outgoing) as (status: number, fields: Fields) => ServerResponse;
  // The status has no phrase.
  outgoing.writeHead = (status: number, ...rest: readonly unknown[]) =>
    writeHead(status, withoutConnection(rest.at(-1) as Fields));
}

type Fields = string[] | OutgoingHttpHeaders;

/** What is about a connection of HTTP/1.1 (RFC 9113 section 8.2.2). */
const CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

function withoutConnection(fields: Fields): Fields {
  const isKept = (name: string) => !CONNECTION.has(name.toLowerCase());
  return Array.isArray(fields)
    ? fields.filter((_, at) => isKept(fields[at - at % 2]!))
    : Object.fromEntries(Object.entries(fields).filter(([name]) => isKept(name)));
}

/** Whether the client has reset it, of which the end of its body says nothing. */
export function isCut(stream: ServerHttp2Stream): boolean {
  return stream.aborted || (stream.rstCode ?? NO_ERROR) !== NO_ERROR ||
    stream.closed && !stream.writableEnded;
}

/** Calls `leave`, at least once, when the client resets the stream or is gone, as soon as that is known. */
export function onCut(stream: ServerHttp2Stream, leave: () => void): void {
  stream.on("aborted", leave);
  // Not all of them are aborted. The response would say next that it has finished, however its stream was closed.
  stream.prependListener("close", () => {
    if (isCut(stream)) leave();
  });
}

/** Ends a stream so that what was sent on it does not look complete. */
export function breakStream(stream: ServerHttp2Stream): void {
  stream.close(INTERNAL_ERROR);
}

/** Lets the client know, once it has been answered, that the rest of its body is not wanted (RFC 9113 section 8.1). */
export function stopReading(stream: ServerHttp2Stream): void {
  // At once, the end of the response would not be sent.
  const stop = () => void setImmediate(() => stream.close(NO_ERROR));
  if (stream.writableFinished) stop();
  else stream.once("finish", stop);
}
