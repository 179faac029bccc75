/**
 * Requests on `node:http` that can be answered at once.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { AtOnce, PreparedResponse, RequestHead } from "../../../src/at_once.ts";
import type { Connection } from "../../../src/handler.ts";
import { isHost } from "../host.ts";

/** An answer that has been handed over and not all been taken yet. */
export interface Remainder {
  /** The client is gone. */
  leave(): void;
}

/** Tries; `null` when the request is to be answered the ordinary way. `"done"` when nothing of the answer is left. */
export function answerAtOnce(
  atOnce: AtOnce,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  connection: Connection,
): Remainder | "done" | null {
  if (!isSimple(incoming)) return null;
  const answer = atOnce(new IncomingHead(incoming), connection);
  return typeof answer === "object" ? send(outgoing, answer) : null;
}

function send(
  outgoing: ServerResponse,
  { status, headers, body, onSent }: PreparedResponse,
): Remainder | "done" {
  // Not changed by it, whatever the type says.
  outgoing.writeHead(status, headers as Record<string, string | string[]>);
  const length = body === null ? 0 : body.length;
  if (body === null) outgoing.end();
  else outgoing.end(body);
  if (outgoing.writableLength === 0) {
    onSent?.({ begun: true, bytes: length, complete: true });
    return "done";
  }
  let isOver = onSent === undefined;
  function report(complete: boolean): void {
    if (isOver) return;
    isOver = true;
    onSent?.({ begun: true, bytes: Math.max(0, length - outgoing.writableLength), complete });
  }
  if (!isOver) outgoing.once("finish", () => report(true));
  return { leave: () => report(false) };
}

/** Whether it is a GET or HEAD without a body, an upgrade or anything wrong with its host (RFC 9112 section 3.2). */
function isSimple({ method, url, rawHeaders, httpVersion }: IncomingMessage): boolean {
  if (method !== "GET" && method !== "HEAD" || url === undefined || url.charCodeAt(0) !== 47) return false;
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    switch (name.length) {
      case 4:
        if (name.toLowerCase() !== "host") break;
        if (!isKnownHost(rawHeaders[at + 1]!)) return false;
        hosts++;
        break;
      case 7:
        if (name.toLowerCase() === "upgrade") return false;
        break;
      case 14:
        if (name.toLowerCase() === "content-length") return false;
        break;
      case 17:
        if (name.toLowerCase() === "transfer-encoding") return false;
        break;
    }
  }
  return hosts === 1 || hosts === 0 && httpVersion === "1.0";
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
  readonly #raw: readonly string[];

  constructor({ method, url, rawHeaders }: IncomingMessage) {
    this.method = method!;
    this.target = url!;
    this.#raw = rawHeaders;
  }

  get headers(): Pick<Headers, "get"> {
    return this;
  }

  /** As `Headers.get()`: fields of one name are joined. */
  get(name: string): string | null {
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
