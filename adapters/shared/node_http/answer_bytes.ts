/**
 * An answer that is there at once, as the bytes that `node:http` would send for it on a connection that is kept.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { PreparedResponse } from "../../../src/at_once.ts";
import { bufferOf } from "./at_once.ts";

/** Bodies up to this many bytes are sent in one piece with their head: to copy them costs less than a second piece. */
const ONE_PIECE = 8 * 1024;

/** Head and body, or the head with the body to be sent after it. */
export interface AnswerBytes {
  readonly head: Buffer;
  readonly rest: Buffer | null;
}

/** What is kept of an answer: for the same fields, most things are the same again. */
interface Kept extends AnswerBytes {
  readonly answer: PreparedResponse;
  /** Status line and fields, without what `node:http` adds. */
  readonly fields: Buffer;
  readonly second: number;
}

const kept = new WeakMap<PreparedResponse["headers"], Kept>();

/** `null` for an answer that has to be sent by `node:http`: it has fields that this knows nothing of. */
export function answerBytes(answer: PreparedResponse): AnswerBytes | null {
  const now = Math.floor(Date.now() / 1000);
  const before = kept.get(answer.headers);
  const isSame = before !== undefined && isSameAnswer(before.answer, answer);
  if (isSame && before.second === now) return before;
  const fields = isSame ? before.fields : fieldsOf(answer);
  if (fields === null) return null;
  const end = endOfHead(now);
  const rest = answer.body === null || answer.body.length === 0 ? null : bufferOf(answer.body);
  const made = rest === null || rest.length > ONE_PIECE
    ? { head: Buffer.concat([fields, end]), rest }
    : { head: Buffer.concat([fields, end, rest]), rest: null };
  kept.set(answer.headers, { ...made, answer, fields, second: now });
  return made;
}

function isSameAnswer(one: PreparedResponse, other: PreparedResponse): boolean {
  return one.body === other.body && one.status === other.status && one.statusText === other.statusText;
}

/** What is about the connection, and what `node:http` looks at itself. */
const NOT_HERE: ReadonlySet<string> = new Set([
  "connection",
  "date",
  "keep-alive",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function fieldsOf({ status, statusText, headers, body }: PreparedResponse): Buffer | null {
  // Without a length the body would have to be chunked.
  if (status < 200 || status !== 304 && status !== 204 && body !== null && !("content-length" in headers)) {
    return null;
  }
  let text = `HTTP/1.1 ${status} ${statusText || STATUS_CODES[status] || "unknown"}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (NOT_HERE.has(name.toLowerCase())) return null;
    for (const one of typeof value === "string" ? [value] : value) {
      if (!isField(name, one)) return null;
      text += `${name}: ${one}\r\n`;
    }
  }
  return Buffer.from(text, "latin1");
}

/** What is none is refused by `node:http`, in its words. */
function isField(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

let lastEnd: { readonly second: number; readonly bytes: Buffer } | null = null;

/** RFC 9110 section 6.6.1: the time, in whole seconds. */
function endOfHead(second: number): Buffer {
  if (lastEnd === null || lastEnd.second !== second) {
    const date = new Date(second * 1000).toUTCString();
    lastEnd = { second, bytes: Buffer.from(`Date: ${date}\r\nConnection: keep-alive\r\n\r\n`) };
  }
  return lastEnd.bytes;
}
