/**
 * From a script's head to what the client is answered (RFC 3875 section 6).
 *
 * @module
 */

import { AnswerFields } from "../fields.ts";
import { type Field, quote, type ScriptHead } from "./head.ts";

/** What a script's head asks for. */
export type ResponsePlan =
  | Answer
  /** RFC 3875 section 6.2.2: answer as if `target` had been requested, unless a body follows: then `answer`. */
  | { readonly kind: "local-redirect"; readonly target: string; readonly answer: Answer }
  /** Send this file in the place of the body. */
  | { readonly kind: "sendfile"; readonly path: string; readonly answer: Answer }
  /** Not a response. `reason` completes "the script's output: …". */
  | { readonly kind: "bad"; readonly reason: string };

/** A response for the client. */
export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly statusText: string;
  /** Without `Content-Length`: that depends on what becomes of the body. */
  readonly headers: AnswerFields;
  /** The script's `Content-Length`, which its bytes are held to. */
  readonly length: number | null;
  /** Whether the script left the status to the server, which may then answer 304 or 412. */
  readonly implicit: boolean;
  /** Whether the body comes in HTTP's chunks (only from a script that writes a whole HTTP head). */
  readonly chunked: boolean;
}

/** Whose the connection is (RFC 9110 section 7.6.1): the server's. A script's say on it is dropped. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Fields that a head may hold once (RFC 3875 section 6.3), and those whose meaning depends on it. */
const SINGLE: ReadonlySet<string> = new Set(["content-length", "content-type", "location", "x-sendfile"]);

/** Decides what a script's head asks for. */
export function planResponse(head: ScriptHead, strict: boolean): ResponsePlan {
  // RFC 3875 section 6.3: a field without a value is as good as not sent.
  const fields = head.fields.filter(([, value]) => value !== "");
  const single = readSingle(fields, strict);
  if (typeof single === "string") return { kind: "bad", reason: single };
  const location = single.get("location");
  const lengthText = single.get("content-length");
  const length = lengthText === undefined ? null : parseLength(lengthText);
  if (Number.isNaN(length)) {
    return { kind: "bad", reason: `a Content-Length that is no length: ${quote(lengthText!)}` };
  }
  const chunked = transferCoding(fields, head.statusLine);
  if (typeof chunked === "string") return { kind: "bad", reason: chunked };
  const path = single.get("x-sendfile");
  const says = single.has("content-type") || head.status !== null || location !== undefined ||
    path !== undefined;
  if (strict && !says) {
    return { kind: "bad", reason: "no Content-Type, Status or Location header" };
  }
  const answer: Answer = {
    kind: "answer",
    status: head.status ?? (location === undefined ? 200 : 302),
    statusText: head.statusText,
    headers: clientHeaders(fields),
    // RFC 9112 section 6.3: the chunks say where the body ends.
    length: chunked ? null : length,
    implicit: head.status === null && location === undefined,
    chunked,
  };
  if (path !== undefined) return { kind: "sendfile", path, answer };
  if (head.status === null && fields.length === 1 && location !== undefined && isLocalPath(location)) {
    return { kind: "local-redirect", target: location, answer };
  }
  return answer;
}

/** Whether a response may have a body: RFC 9110 sections 9.3.2, 15.3.5, 15.3.6, 15.4.5. */
export function mayHaveBody(status: number, method: string): boolean {
  return method !== "HEAD" && status !== 204 && status !== 205 && status !== 304;
}

function readSingle(fields: readonly Field[], strict: boolean): Map<string, string> | string {
  const single = new Map<string, string>();
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    if (!SINGLE.has(key)) continue;
    const before = single.get(key);
    // Two lengths are response splitting in the making (CVE-2024-24795), whatever the mode.
    if (before !== undefined && before !== value && (strict || key === "content-length")) {
      return `two different ${key} headers: ${quote(before)} and ${quote(value)}`;
    }
    single.set(key, value);
  }
  return single;
}

function parseLength(value: string): number {
  const length = /^\d+$/.test(value) ? Number(value) : NaN;
  return Number.isSafeInteger(length) ? length : NaN;
}

/** Whether the body is chunked, or why the script may not have it so. */
function transferCoding(fields: readonly Field[], statusLine: boolean): boolean | string {
  const coding = fields.filter(([name]) => name.toLowerCase() === "transfer-encoding").map(([, value]) =>
    value
  );
  if (coding.length === 0) return false;
  // A script that writes the whole of HTTP may frame its body itself. For any other the framing is the server's.
  if (statusLine && coding.length === 1 && coding[0]!.toLowerCase() === "chunked") return true;
  return `a Transfer-Encoding header: ${quote(coding.join(", "))}`;
}

function clientHeaders(fields: readonly Field[]): AnswerFields {
  const named = connectionOptions(fields);
  const headers = new AnswerFields();
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || named.includes(key) || isOurs(key)) continue;
    const before = SINGLE.has(key) ? null : headers.get(key);
    if (key === "set-cookie") headers.append(key, value);
    else headers.set(key, before === null ? value : `${before}, ${value}`);
  }
  return headers;
}

/** The fields that a script's `Connection` names. */
function connectionOptions(fields: readonly Field[]): readonly string[] {
  const said = fields.filter(([name]) => name.toLowerCase() === "connection");
  return said.flatMap(([, value]) => value.split(",")).map((option) => option.trim().toLowerCase());
}

/** Fields for the server, or that it writes itself: `Date` comes from the runtime, once. */
function isOurs(key: string): boolean {
  return key === "date" || key === "content-length" || key === "x-sendfile" || key.startsWith("x-cgi-");
}

/**
 * Whether a Location is a path on this server (`local-pathquery`, RFC 3875 section 6.3.2). `//host` names another
 * server, and so does `/\host` to a browser; a fragment is for the client.
 */
function isLocalPath(location: string): boolean {
  return /^\/(?![/\\])[\x21-\x22\x24-\x5b\x5d-\x7e]*$/.test(location);
}
