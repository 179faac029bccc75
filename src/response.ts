/**
 * The one place where responses are made, so that an adapter can see what a body is made of and move it natively.
 *
 * @module
 */

import type { Bytes, ByteSpan, OpenFile } from "./runtime.ts";

/** A span of an open file as a response body. The response owns the file from here on. */
export interface FileSpan extends ByteSpan {
  readonly file: OpenFile;
}

/** What a body may be made of. */
export type BodySource = Bytes | string | FileSpan | ReadableStream<Uint8Array> | null;

const sources = new WeakMap<Response, BodySource>();

/**
 * Makes a response. It is an ordinary one, for any server; the adapters' own servers look up {@linkcode bodySource} and
 * send bytes and file spans without a stream in between. `statusText` reaches the client where the runtime can send it.
 */
export function respond(status: number, headers: Headers, body: BodySource, statusText = ""): Response {
  const response = new Response(toBodyInit(body), { status, statusText, headers });
  sources.set(response, body);
  return response;
}

/**
 * Why a body broke off, where that has been logged already: whoever sends the body breaks the transfer, and says no
 * more of it. Other people's servers print such an error: where it was made is no news to anybody.
 */
export class BrokenBody extends Error {
  override name = "BrokenBody";
  override stack = `BrokenBody: ${this.message}`;
}

/** What the body of a response made by {@linkcode respond} is, or `undefined` for a response made elsewhere. */
export function bodySource(response: Response): BodySource | undefined {
  return sources.get(response);
}

function toBodyInit(body: BodySource): BodyInit | null {
  if (body === null || typeof body === "string") return body;
  if (body instanceof Uint8Array || body instanceof ReadableStream) return body as BodyInit;
  return body.file.stream(body);
}
