/**
 * An answer that is there at once, as the bytes that `node:http` would send for it on a connection that is kept.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { PreparedResponse } from "../../../src/at_once.ts";

/** Larger answers are sent by `node:http`, in two pieces, as one piece has to be copied together and kept. */
const MAX_BODY = 256 * 1024;

/** How much is kept, in bytes. What was made first goes first; to make it again is to copy it once. */
const MAX_KEPT = 16 * 1024 * 1024;

/** What is kept of an answer: for the same fields, most things are the same again. */
interface Kept {
  readonly answer: PreparedResponse;
  /** Status line and fields, without what `node:http` adds. */
  readonly fields: Buffer;
  readonly second: number;
  readonly bytes: Buffer;
}

const kept = new Map<PreparedResponse["headers"], Kept>();
let total = 0;

/** `null` for an answer that has to be sent by `node:http`: it is large, or has fields that this knows nothing of. */
export function answerBytes(answer: PreparedResponse): Buffer | null {
  const now = secondsNow();
  const before = kept.get(answer.headers);
  const isSame = before !== undefined && isSameAnswer(before.answer, answer);
  if (isSame && before.second === now) return before.bytes;
  const fields = isSame ? before.fields : fieldsOf(answer);
  if (fields === null) return null;
  const bytes = join(fields, answer, now);
  keep({ answer, fields, second: now, bytes });
  return bytes;
}

/** What was made of the fields of other answers. What was made first goes first. */
const passing = new Map<PreparedResponse["headers"], {
  readonly status: number;
  readonly statusText: string | undefined;
  readonly fields: Buffer;
}>();

const MAX_PASSING = 64;

/** The same for an answer that is not given again, though another one with the same fields may be. */
export function passingAnswerBytes(answer: PreparedResponse): Buffer | null {
  const { status, statusText, headers, body } = answer;
  if (body !== null && body.length > MAX_BODY) return null;
  const before = passing.get(headers);
  if (before?.status === status && before.statusText === statusText) {
    return join(before.fields, answer, secondsNow());
  }
  const fields = fieldsOf(answer);
  if (fields === null) return null;
  if (passing.size >= MAX_PASSING) passing.delete(passing.keys().next().value!);
  passing.set(headers, { status, statusText, fields });
  return join(fields, answer, secondsNow());
}

function secondsNow(): number {
  return Math.floor(Date.now() / 1000);
}

function join(fields: Buffer, { body }: PreparedResponse, second: number): Buffer {
  return Buffer.concat(body === null ? [fields, endOfHead(second)] : [fields, endOfHead(second), body]);
}

function keep(made: Kept): void {
  forget(made.answer.headers);
  kept.set(made.answer.headers, made);
  total += costOf(made);
  for (const headers of kept.keys()) {
    if (total <= MAX_KEPT) return;
    forget(headers);
  }
}

function forget(headers: PreparedResponse["headers"]): void {
  const before = kept.get(headers);
  if (before === undefined) return;
  kept.delete(headers);
  total -= costOf(before);
}

/** In bytes, near enough. */
function costOf({ fields, bytes }: Kept): number {
  return fields.length + bytes.length + 1024;
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

function fieldsOf({ status, statusText = "", headers, body }: PreparedResponse): Buffer | null {
  if (body !== null && body.length > MAX_BODY || status < 200) return null;
  // Without a length the body would have to be chunked.
  if (status !== 304 && status !== 204 && !("content-length" in headers)) return null;
  if (statusText !== "" && !isField("reason", statusText)) return null;
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
