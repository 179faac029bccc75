/**
 * Requests on `node:http` that can be answered at once.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AtOnce, PreparedResponse, RequestFields, RequestHead } from "../../../src/at_once.ts";
import type { Begun, Connection } from "../../../src/handler.ts";
import type { Bytes } from "../../../src/runtime.ts";
import { isHost } from "../host.ts";

/** An answer that has been handed over and not all been taken yet. */
export interface Remainder {
  /** The client is gone. */
  leave(): void;
}

/** An answer to a request, or the promise of one; `null` when it is to be answered the ordinary way. */
export function askForAnswer(
  atOnce: AtOnce,
  incoming: IncomingMessage,
  connection: Connection,
): PreparedResponse | Promise<PreparedResponse | Begun> | null {
  const head = simpleHead(incoming);
  if (head === null) return null;
  const answer = atOnce(head, connection);
  return typeof answer === "object" ? answer : null;
}

/** Sends an answer. `"done"` when nothing of it is left. */
export function sendPrepared(
  outgoing: ServerResponse,
  { status, statusText, headers, body, onSent, script }: PreparedResponse,
): Remainder | "done" {
  // Not changed by it, whatever the type says.
  const fields = headers as Record<string, string | string[]>;
  if (statusText) outgoing.writeHead(status, statusText, fields);
  else outgoing.writeHead(status, fields);
  const length = body === null ? 0 : body.length;
  if (body === null) outgoing.end();
  else outgoing.end(script === undefined ? keptBufferOf(body) : bufferOf(body));
  if (outgoing.writableLength === 0) {
    onSent?.({ begun: true, bytes: length, complete: true });
    return "done";
  }
  const report = reporter(length, onSent, outgoing.writableLength);
  const { socket } = outgoing.req;
  // It comes, too, when the client has left.
  outgoing.once("finish", () => report(!socket.destroyed));
  return { leave: () => report(false) };
}

/**
 * Says once what has become of an answer whose body has `length` bytes. The system has not taken `pending` bytes at once;
 * whether it has later is not known if the client leaves.
 */
export function reporter(
  length: number,
  onSent: PreparedResponse["onSent"],
  pending: number,
): (complete: boolean) => void {
  let isOver = false;
  return (complete) => {
    if (isOver) return;
    isOver = true;
    onSent?.({ begun: true, bytes: complete ? length : Math.max(0, length - pending), complete });
  };
}

const buffers = new WeakMap<Bytes, Buffer>();

/** The same bytes in the only class that `node:http` takes as it is. */
function bufferOf({ buffer, byteOffset, byteLength }: Bytes): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Once for bytes that are sent again and again. */
function keptBufferOf(bytes: Bytes): Buffer {
  let buffer = buffers.get(bytes);
  if (buffer === undefined) buffers.set(bytes, buffer = bufferOf(bytes));
  return buffer;
}

/**
 * The head of a GET or HEAD without a body, an upgrade or anything wrong with its host (RFC 9112 section 3.2); `null` for
 * any other request.
 */
export function simpleHead(
  { method, url, rawHeaders, httpVersion }: IncomingMessage,
  isKept = false,
): IncomingHead | null {
  if (method !== "GET" && method !== "HEAD" || url === undefined || url.charCodeAt(0) !== 47) return null;
  let hosts = 0;
  let lengths = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    lengths |= 1 << name.length;
    switch (name.length) {
      case 4:
        if (name.toLowerCase() !== "host") break;
        if (!isKnownHost(rawHeaders[at + 1]!)) return null;
        hosts++;
        break;
      case 7:
        if (name.toLowerCase() === "upgrade") return null;
        break;
      case 14:
        if (name.toLowerCase() === "content-length") return null;
        break;
      case 17:
        if (name.toLowerCase() === "transfer-encoding") return null;
        break;
    }
  }
  if (hosts !== 1 && (hosts !== 0 || httpVersion !== "1.0")) return null;
  return new IncomingHead(method, url, rawHeaders, lengths, isKept);
}

let knownHost = "";

/** It is the same as last time most of the time. */
function isKnownHost(value: string): boolean {
  if (value === knownHost) return true;
  if (!isHost(value)) return false;
  knownHost = value;
  return true;
}

/** The head of a request of `node:http`. */
class IncomingHead implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly isKept: boolean;
  readonly #raw: readonly string[];
  /** A bit for each length that a name has (modulo 32): of most names that are asked for, there is no field. */
  readonly #lengths: number;

  constructor(method: string, target: string, raw: readonly string[], lengths: number, isKept: boolean) {
    this.method = method;
    this.target = target;
    this.isKept = isKept;
    this.#raw = raw;
    this.#lengths = lengths;
  }

  get headers(): RequestFields {
    return this;
  }

  forEach(callback: (value: string, name: string) => void): void {
    const raw = this.#raw;
    for (let at = 0; at < raw.length; at += 2) callback(raw[at + 1]!, raw[at]!);
  }

  /** As `Headers.get()`: fields of one name are joined. */
  get(name: string): string | null {
    if ((this.#lengths & 1 << name.length) === 0) return null;
    const raw = this.#raw;
    let value: string | null = null;
    for (let at = 0; at < raw.length; at += 2) {
      const field = raw[at]!;
      if (field.length !== name.length || field !== name && field.toLowerCase() !== name) continue;
      value = value === null ? raw[at + 1]! : `${value}, ${raw[at + 1]}`;
    }
    return value;
  }
}
