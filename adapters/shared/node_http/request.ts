/**
 * Node's `IncomingMessage` as a `Request`.
 *
 * @module
 */

import type { IncomingMessage } from "node:http";
import type { Bytes } from "../../../src/runtime.ts";
import { isHost } from "../host.ts";

/** Methods that `new Request()` refuses and a server must still be able to answer. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(["TRACE", "TRACK"]);

/** A request of `node:http`. */
export interface NodeRequest extends Request {
  /** The client left before it was answered. */
  leave(): void;
}

/** What makes them. */
type NodeRequestClass = new (
  incoming: Pick<IncomingMessage, "method" | "rawHeaders">,
  url: string,
  body: ReadableStream<Bytes> | null,
) => NodeRequest;

let made: NodeRequestClass | null = null;

/** The class, made when the first request is: what it extends takes Node 20 ms to load. */
export function requestClass(): NodeRequestClass {
  return made ??= makeClass();
}

/**
 * A real `Request`, because an imitation would not survive `new Request(it)`;
 * but for its signal: following one costs three times as much as all the rest,
 * and few handlers look at it.
 */
function makeClass(): NodeRequestClass {
  return class extends Request implements NodeRequest {
    #method: string;
    #left = false;
    #controller: AbortController | null = null;

    /** @throws {TypeError} When the URL is none. */
    constructor(
      incoming: Pick<IncomingMessage, "method" | "rawHeaders">,
      url: string,
      body: ReadableStream<Bytes> | null,
    ) {
      const method = incoming.method!;
      const init: RequestInit & { duplex?: "half" } = {
        method: FORBIDDEN_METHODS.has(method) ? "POST" : method,
        headers: headersOf(incoming.rawHeaders),
      };
      if (body !== null) {
        init.body = body;
        init.duplex = "half";
      }
      super(url, init);
      this.#method = method;
    }

    override get method(): string {
      return this.#method;
    }

    override get signal(): AbortSignal {
      if (this.#controller === null) {
        this.#controller = new AbortController();
        if (this.#left) this.#controller.abort();
      }
      return this.#controller.signal;
    }

    /** The client left before it was answered. */
    leave(): void {
      this.#left = true;
      this.#controller?.abort();
      // What was made from this one (`clone()`, `new Request(it)`) follows the signal it was constructed with.
      super.signal.dispatchEvent(new Event("abort"));
    }
  };
}

/**
 * The URL a request is for, not yet normalised, or `null` when its host is one
 * that RFC 9112 section 3.2 has us refuse: missing, doubled or not a host. Such
 * a field could also hold a path, and make this server see another one than a
 * proxy before it.
 */
export function urlOf(
  incoming: IncomingMessage,
  scheme: "http" | "https",
): string | null {
  const target = incoming.url!;
  if (target.startsWith("/")) {
    const host = hostOf(incoming);
    return host && `${scheme}://${host}${target}`;
  }
  // The absolute form overrides the Host field (RFC 9112 section 3.2.2).
  const absolute = /^[a-z][a-z\d+.-]*:\/\/([^/?#\\]*)(.*)$/is.exec(target);
  const host = absolute === null ? hostOf(incoming) : absolute[1]!;
  if (host === null || !isHost(host)) return null;
  const path = absolute === null ? target : absolute[2]!;
  return `${scheme}://${host}${path.startsWith("/") ? "" : "/"}${path}`;
}

function hostOf(incoming: IncomingMessage): string | null {
  const { host } = incoming.headers;
  if (host === undefined) {
    return incoming.httpVersion === "1.0" ? "localhost" : null;
  }
  if (!isHost(host)) return null;
  const { rawHeaders } = incoming;
  let fields = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === "host") fields++;
  }
  return fields === 1 ? host : null;
}

function headersOf(raw: readonly string[]): [string, string][] {
  const headers: [string, string][] = [];
  let cookie: [string, string] | null = null;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!;
    const value = raw[at + 1]!;
    const isCookie = name.length === 6 && name.toLowerCase() === "cookie";
    // Two such fields are one with a semicolon (RFC 6265 section 5.4), not with the comma of all others.
    if (isCookie && cookie !== null) {
      cookie[1] += `; ${value}`;
      continue;
    }
    const field: [string, string] = [name, value];
    if (isCookie) cookie = field;
    headers.push(field);
  }
  return headers;
}
