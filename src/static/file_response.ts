/**
 * A file as a response: headers, conditions, ranges, body.
 *
 * @module
 */

import { respond } from "../response.ts";
import type { ByteSpan, OpenFile } from "../runtime.ts";
import { compressBytes, compressStream } from "./compression.ts";
import { formatHttpDate } from "./http_date.ts";
import { multipartBody } from "./multipart_ranges.ts";
import { evaluateConditions, ifRangeHolds } from "./preconditions.ts";
import { contentRange, parseRange } from "./range.ts";
import type { Representation } from "./representation.ts";
import type { Validators } from "./validators.ts";

/** Spans up to this many bytes are read whole: one read costs less than a stream. */
export const IN_MEMORY = 65536;

/** An answer that is an error page, with the headers it needs. */
export interface Problem {
  readonly problem: 412 | 416;
  readonly headers: Headers;
}

/** Adds what does not depend on the file's form: `Cache-Control` and the operator's headers. */
export type Decorate = (headers: Headers) => void;

/**
 * Answers a GET or HEAD request with a file. Owns the file from here on: whatever the answer, and whatever fails, it
 * gets closed. A whole file of up to `inMemory` bytes is sent from memory.
 */
export async function fileResponse(
  representation: Representation,
  request: Request,
  decorate: Decorate,
  inMemory: number = IN_MEMORY,
): Promise<Response | Problem> {
  const { file } = representation;
  try {
    const answer = decide(representation, request, decorate, inMemory);
    if (answer instanceof Promise) return await answer;
    await file.close();
    return answer;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** An answer without the file's bytes at once; one with them as a promise, which takes over the file. */
function decide(
  representation: Representation,
  request: Request,
  decorate: Decorate,
  inMemory: number,
): Response | Problem | Promise<Response> {
  const { file, validators, type } = representation;
  const { headers: asked, method } = request;
  const verdict = evaluateConditions(asked, validators);
  if (verdict === "failed") return { problem: 412, headers: new Headers() };
  if (verdict === "not-modified") return respond(304, notModifiedHeaders(representation, decorate), null);
  if (method === "HEAD") return respond(200, wholeHeaders(representation, decorate), null);

  const headers = baseHeaders(representation, decorate);
  const { size } = file.info;
  const range = asked.get("range");
  if (range !== null && ifRangeHolds(asked, validators)) {
    const wanted = parseRange(range, size);
    if (wanted.kind === "unsatisfiable") {
      return { problem: 416, headers: new Headers({ "content-range": `bytes */${size}` }) };
    }
    if (wanted.kind === "parts") return partial(file, wanted.parts, headers, type);
  }
  return representation.onTheFly
    ? compressed(representation, headers)
    : sendSpan(200, headers, file, { offset: 0, length: size }, inMemory);
}

/** The headers of a whole file; without a length where that is only known afterwards. */
export function wholeHeaders(representation: Representation, decorate: Decorate): Headers {
  const headers = baseHeaders(representation, decorate);
  if (!representation.onTheFly) headers.set("content-length", String(representation.file.info.size));
  return headers;
}

function baseHeaders(
  { type, validators, coding, varies }: Representation,
  decorate: Decorate,
): Headers {
  const headers = new Headers();
  headers.set("content-type", type);
  if (coding === null) headers.set("accept-ranges", "bytes");
  else headers.set("content-encoding", coding);
  setValidators(headers, validators);
  if (varies) headers.set("vary", "accept-encoding");
  decorate(headers);
  return headers;
}

function setValidators(headers: Headers, { tag, modified }: Validators): void {
  if (tag !== null) headers.set("etag", tag);
  if (modified !== null) headers.set("last-modified", formatHttpDate(modified));
}

/** Section 15.4.5: what a cache needs to bring its copy up to date, and nothing that describes a body. */
export function notModifiedHeaders({ validators, varies }: Representation, decorate: Decorate): Headers {
  const headers = new Headers();
  setValidators(headers, validators.tag === null ? validators : { ...validators, modified: null });
  if (varies) headers.set("vary", "accept-encoding");
  decorate(headers);
  for (const name of [...headers.keys()]) if (isRepresentationHeader(name)) headers.delete(name);
  return headers;
}

function isRepresentationHeader(name: string): boolean {
  return name.startsWith("content-") && name !== "content-location" && name !== "content-security-policy";
}

async function partial(
  file: OpenFile,
  parts: readonly ByteSpan[],
  headers: Headers,
  type: string,
): Promise<Response> {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    headers.set("content-range", contentRange(only, file.info.size));
    return await sendSpan(206, headers, file, only);
  }
  const body = multipartBody(file, parts, headers.get("content-type") ?? type);
  headers.set("content-type", body.type);
  headers.set("content-length", String(body.length));
  if (body.length > IN_MEMORY) return respond(206, headers, body.stream());
  return respond(206, headers, new Uint8Array(await new Response(body.stream()).arrayBuffer()));
}

async function compressed(representation: Representation, headers: Headers): Promise<Response> {
  const { file, coding } = representation;
  if (coding === null) throw new TypeError("Cannot compress without a coding");
  const whole = { offset: 0, length: file.info.size };
  if (whole.length > IN_MEMORY) return respond(200, headers, compressStream(file.stream(whole), coding));
  const original = await file.read(whole);
  await file.close();
  const bytes = await compressBytes(original, coding);
  headers.set("content-length", String(bytes.byteLength));
  return respond(200, headers, bytes);
}

/** Sends a span of a file as it is: in memory when it is small, else as a span the adapter moves natively. */
export async function sendSpan(
  status: number,
  headers: Headers,
  file: OpenFile,
  span: ByteSpan,
  inMemory: number = IN_MEMORY,
): Promise<Response> {
  headers.set("content-length", String(span.length));
  if (span.length > inMemory) return respond(status, headers, { file, ...span });
  const bytes = span.length === 0 ? new Uint8Array(0) : await file.read(span);
  await file.close();
  return respond(status, headers, bytes);
}
