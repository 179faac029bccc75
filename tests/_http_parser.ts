/**
 * Takes a response apart without tidying anything up.
 *
 * @module
 */

import type { Bytes } from "../src/runtime.ts";

/** How a connection ended: `fin` in good order, `reset` not. */
export type ConnectionEnd = "fin" | "reset";

/** What ends the body of a response. */
export type Framing = "none" | "length" | "chunked" | "close";

/** A response as it came over the wire. */
export interface RawResponse {
  readonly statusLine: string;
  readonly status: number;
  /** The reason phrase. */
  readonly reason: string;
  /** In the order and the letter case they came in. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The value of the one header of this name; several joined with ` | `. */
  header(name: string): string | null;
  /** All bytes before the body, as ISO 8859-1. */
  readonly head: string;
  /** Status lines of the 1xx responses before this one. */
  readonly interim: readonly string[];
  readonly framing: Framing;
  /** The body's bytes as sent, chunk framing included. */
  readonly raw: Uint8Array;
  /** The body. */
  readonly body: Uint8Array;
  /** The body as UTF-8. */
  readonly text: string;
  /** Whether the body ended where its framing says. */
  readonly complete: boolean;
  /** How the connection ended; `open` when it had not when the response did. */
  readonly end: ConnectionEnd | "open";
}

type Head = Pick<
  RawResponse,
  "statusLine" | "status" | "reason" | "headers" | "header" | "head" | "interim"
>;

interface Body {
  readonly body: Uint8Array;
  /** On the wire. */
  readonly length: number;
  readonly complete: boolean;
}

/** A response, and how much of the bytes it is. */
export interface Parsed {
  readonly response: RawResponse;
  /** From the start of the first head to the end of the last. */
  readonly headLength: number;
  /** The same to the end of the body. */
  readonly length: number;
}

/** Called with all bytes so far, and how the connection ended if it has. */
export type ResponseParser = (
  bytes: Uint8Array,
  end: ConnectionEnd | null,
) => Parsed | null;

/**
 * Parses the first final response of bytes that grow from call to call; `null`
 * while more is needed. What has been seen is not looked at again.
 */
export function responseParser(
  method: string,
  part: "head" | "whole",
): ResponseParser {
  const interim: string[] = [];
  let start = 0;
  let head: Head | null = null;
  let framing: Framing = "none";
  let readBody: BodyReader;
  return (bytes, end) => {
    while (head === null) {
      const headEnd = find(bytes, "\r\n\r\n", start);
      if (headEnd < 0) return null;
      const next = parseHead(bytes.subarray(start, headEnd + 4), interim);
      start = headEnd + 4;
      if (next.status >= 200 || next.status === 101) {
        head = next;
        framing = framingOf(method, next);
        readBody = bodyReader(framing, next);
      } else interim.push(next.statusLine);
    }
    const { body, length, complete } = readBody(bytes.subarray(start), end);
    if (part === "whole" && !complete && end === null) return null;
    const response: RawResponse = {
      ...head,
      framing,
      raw: bytes.slice(start, start + length),
      body,
      get text() {
        return new TextDecoder().decode(body);
      },
      complete,
      end: end ?? "open",
    };
    return { response, headLength: start, length: start + length };
  };
}

function parseHead(bytes: Uint8Array, interim: readonly string[]): Head {
  const head = toLatin1(bytes);
  const [statusLine = "", ...lines] = head.slice(0, -4).split("\r\n");
  const match = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(statusLine);
  if (match === null) {
    throw new Error(`Not a status line: ${JSON.stringify(statusLine)}`);
  }
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`Not a header: ${JSON.stringify(line)}`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return {
    statusLine,
    status: Number(match[1]),
    reason: match[2] ?? "",
    headers,
    head,
    interim,
    header(name) {
      const values = headers
        .filter(([key]) => key.toLowerCase() === name.toLowerCase())
        .map(([, value]) => value);
      return values.length === 0 ? null : values.join(" | ");
    },
  };
}

/** RFC 9112 section 6.3. */
function framingOf(method: string, { status, header }: Head): Framing {
  if (method === "HEAD" || status === 204 || status === 304) return "none";
  if (header("transfer-encoding")?.toLowerCase() === "chunked") {
    return "chunked";
  }
  return header("content-length") === null ? "close" : "length";
}

type BodyReader = (rest: Uint8Array, end: ConnectionEnd | null) => Body;

function bodyReader(framing: Framing, { header }: Head): BodyReader {
  switch (framing) {
    case "none":
      return () => ({ body: new Uint8Array(), length: 0, complete: true });
    case "chunked":
      return chunkReader();
    case "close":
      return (rest, end) => ({
        body: end === null ? rest : rest.slice(),
        length: rest.length,
        complete: end === "fin",
      });
    case "length": {
      const wanted = Number(header("content-length"));
      return (rest) => {
        const length = Math.min(wanted, rest.length);
        const complete = length === wanted;
        const body = rest.subarray(0, length);
        return { body: complete ? body.slice() : body, length, complete };
      };
    }
  }
}

/** RFC 9112 section 7.1. Remembers where the next chunk begins. */
function chunkReader(): BodyReader {
  const pieces: Uint8Array[] = [];
  let at = 0;
  return (rest, end) => {
    while (true) {
      const lineEnd = find(rest, "\r\n", at);
      if (lineEnd < 0) break;
      const size = parseInt(toLatin1(rest.subarray(at, lineEnd)), 16);
      if (Number.isNaN(size)) throw new Error("Not a chunk size");
      const next = lineEnd + 2 + size + 2;
      if (rest.length < next) break;
      at = next;
      if (size === 0) {
        return { body: concat(pieces), length: at, complete: true };
      }
      pieces.push(rest.slice(lineEnd + 2, next - 2));
    }
    const body = end === null ? new Uint8Array() : concat(pieces);
    return { body, length: rest.length, complete: false };
  };
}

function find(bytes: Uint8Array, text: string, from: number): number {
  const first = text.charCodeAt(0);
  for (
    let at = bytes.indexOf(first, from);
    at >= 0 && at + text.length <= bytes.length;
    at = bytes.indexOf(first, at + 1)
  ) {
    let match = 1;
    while (
      match < text.length && bytes[at + match] === text.charCodeAt(match)
    ) match++;
    if (match === text.length) return at;
  }
  return -1;
}
/** Joins pieces. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(
    pieces.reduce((length, piece) => length + piece.length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** UTF-8. */
export function toBytes(data: string): Bytes;
export function toBytes(data: string | Uint8Array): Uint8Array;
export function toBytes(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}

/** Each byte as the character of its number, whatever it means. */
export function toLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
