/**
 * Responses made ready for `Deno.serve`.
 *
 * @module
 */

import { bodySource, type FileSpan } from "../../src/response.ts";
import type { Bytes } from "../../src/runtime.ts";
import { fileStream } from "../shared/file_stream.ts";
import { discardBody } from "./request_body.ts";

/**
 * The response as Deno can send it: with the length that is known, and without one that is wrong. Deno itself cuts a
 * stream that is longer than its Content-Length, and closes the connection after one that is shorter.
 */
export function deliverable(request: Request, response: Response): Response {
  const source = bodySource(response);
  const isHead = request.method === "HEAD";
  if (source instanceof ReadableStream || (source === undefined && response.body !== null)) {
    return response;
  }
  // A stream may be about to read it. Nothing else is.
  discardBody(request);
  if (source === undefined || source === null) return response;
  if (typeof source === "string" || source instanceof Uint8Array) {
    return isHead ? response : ofDeclaredLength(response, source);
  }
  return ofFile(response, source, isHead);
}

function ofDeclaredLength(response: Response, body: string | Bytes): Response {
  const declared = response.headers.get("content-length");
  if (declared === null) return response;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  if (Number(declared) === bytes.length) return response;
  const stream = new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return new Response(stream, response);
}

function ofFile(response: Response, span: FileSpan, isHead: boolean): Response {
  const { status, statusText } = response;
  const headers = new Headers(response.headers);
  if (!headers.has("content-length")) headers.set("content-length", String(span.length));
  if (!isHead && span.length > 0 && status !== 204 && status !== 304) {
    return new Response(fileStream(span), { status, statusText, headers });
  }
  span.file.close().catch(() => {});
  return new Response(null, { status, statusText, headers });
}
