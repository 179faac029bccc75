/**
 * A file as a response: headers, conditions, ranges, body.
 *
 * @module
 */

import type { RequestHead } from "../at_once.ts";
import { AnswerFields, type Fields } from "../fields.ts";
import { type BodySource, respond } from "../response.ts";
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

/** What of a request decides on the form of a file. */
export type Asked = Pick<RequestHead, "method"> & { readonly headers: Pick<RequestHead["headers"], "get"> };

/** A file's answer, before it is a response. */
export interface FileAnswer {
  readonly status: number;
  readonly fields: AnswerFields;
  readonly body: BodySource;
}

/** The response that it is. */
export function toResponse({ status, fields, body }: FileAnswer): Response {
  return respond(status, fields.toHeaders(), body);
}

/** An answer that is an error page, with the headers it needs. */
export interface Problem {
  readonly problem: 412 | 416;
  readonly headers: Readonly<Record<string, string>>;
}

/** Adds what does not depend on the file's form: `Cache-Control` and the operator's headers. */
export type Decorate = (headers: Fields) => void;

/**
 * Answers a GET or HEAD request with a file. Owns the file from here on: whatever the answer, and whatever fails, it
 * gets closed. A whole file of up to `inMemory` bytes is sent from memory.
 */
export async function fileResponse(
  representation: Representation,
  request: Asked,
  decorate: Decorate,
  inMemory: number = IN_MEMORY,
): Promise<FileAnswer | Problem> {
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
  request: Asked,
  decorate: Decorate,
  inMemory: number,
): FileAnswer | Problem | Promise<FileAnswer> {
  const { file, validators, type } = representation;
  const { headers: asked, method } = request;
  const verdict = evaluateConditions(asked, validators);
  if (verdict === "failed") return { problem: 412, headers: {} };
  if (verdict === "not-modified") {
    return { status: 304, fields: notModifiedFields(representation, decorate), body: null };
  }
  if (method === "HEAD") return { status: 200, fields: wholeFields(representation, decorate), body: null };

  const fields = baseFields(representation, decorate);
  const { size } = file.info;
  const range = asked.get("range");
  if (range !== null && ifRangeHolds(asked, validators)) {
    const wanted = parseRange(range, size);
    if (wanted.kind === "unsatisfiable") {
      return { problem: 416, headers: { "content-range": `bytes */${size}` } };
    }
    if (wanted.kind === "parts") return partial(file, wanted.parts, fields, type);
  }
  return representation.onTheFly
    ? compressed(representation, fields)
    : sendSpan(200, fields, file, { offset: 0, length: size }, inMemory);
}

/** The headers of a whole file; without a length where that is only known afterwards. */
export function wholeFields(representation: Representation, decorate: Decorate): AnswerFields {
  const fields = baseFields(representation, decorate);
  if (!representation.onTheFly) fields.set("content-length", String(representation.file.info.size));
  return fields;
}

function baseFields(
  { type, validators, coding, varies }: Representation,
  decorate: Decorate,
): AnswerFields {
  const fields = new AnswerFields();
  fields.set("content-type", type);
  if (coding === null) fields.set("accept-ranges", "bytes");
  else fields.set("content-encoding", coding);
  setValidators(fields, validators);
  if (varies) fields.set("vary", "accept-encoding");
  decorate(fields);
  return fields;
}

function setValidators(fields: Fields, { tag, modified }: Validators): void {
  if (tag !== null) fields.set("etag", tag);
  if (modified !== null) fields.set("last-modified", formatHttpDate(modified));
}

/** Section 15.4.5: what a cache needs to bring its copy up to date, and nothing that describes a body. */
export function notModifiedFields({ validators, varies }: Representation, decorate: Decorate): AnswerFields {
  const fields = new AnswerFields();
  setValidators(fields, validators.tag === null ? validators : { ...validators, modified: null });
  if (varies) fields.set("vary", "accept-encoding");
  decorate(fields);
  fields.drop(isRepresentationHeader);
  return fields;
}

function isRepresentationHeader(name: string): boolean {
  return name.startsWith("content-") && name !== "content-location" && name !== "content-security-policy";
}

async function partial(
  file: OpenFile,
  parts: readonly ByteSpan[],
  fields: AnswerFields,
  type: string,
): Promise<FileAnswer> {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    fields.set("content-range", contentRange(only, file.info.size));
    return await sendSpan(206, fields, file, only);
  }
  const body = multipartBody(file, parts, fields.get("content-type") ?? type);
  fields.set("content-type", body.type);
  fields.set("content-length", String(body.length));
  if (body.length > IN_MEMORY) return { status: 206, fields, body: body.stream() };
  const bytes = new Uint8Array(await new Response(body.stream()).arrayBuffer());
  return { status: 206, fields, body: bytes };
}

async function compressed(representation: Representation, fields: AnswerFields): Promise<FileAnswer> {
  const { file, coding } = representation;
  if (coding === null) throw new TypeError("Cannot compress without a coding");
  const whole = { offset: 0, length: file.info.size };
  if (whole.length > IN_MEMORY) {
    return { status: 200, fields, body: compressStream(file.stream(whole), coding) };
  }
  const original = await file.read(whole);
  await file.close();
  const bytes = await compressBytes(original, coding);
  fields.set("content-length", String(bytes.byteLength));
  return { status: 200, fields, body: bytes };
}

/** Sends a span of a file as it is: in memory when it is small, else as a span the adapter moves natively. */
export async function sendSpan(
  status: number,
  fields: AnswerFields,
  file: OpenFile,
  span: ByteSpan,
  inMemory: number = IN_MEMORY,
): Promise<FileAnswer> {
  fields.set("content-length", String(span.length));
  if (span.length > inMemory) return { status, fields, body: { file, ...span } };
  const bytes = span.length === 0 ? new Uint8Array(0) : await file.read(span);
  await file.close();
  return { status, fields, body: bytes };
}
