/**
 * What a request handler is, and what it is told beside the request.
 *
 * @module
 */

import type { AtOnce } from "./at_once.ts";
import type { ExitStatus, NetworkAddress } from "./runtime.ts";

/**
 * What is known of a request that the `Request` does not say. Every field is optional, so that a handler can be called
 * with a request alone; `serve()` and the adapters fill in what they know, `route()` adds where it matched.
 *
 * @example
 * ```ts
 * import type { AnsweringScript, Connection, Handler, NetworkAddress, Sent, VerifiedUser } from "htbin";
 *
 * const scripts: AnsweringScript[] = [];
 * const handler: Handler = (_request, connection: Connection = {}) => {
 *   connection.onSent?.(({ bytes, complete }: Sent) => console.log(bytes, complete));
 *   const user: VerifiedUser | null = connection.user ?? null;
 *   return new Response(`${user?.name} at ${connection.remote?.hostname}`);
 * };
 * const remote: NetworkAddress = { hostname: "192.0.2.1", port: 4711 };
 * const response = await handler(new Request("http://localhost/"), {
 *   remote,
 *   user: { name: "ada", scheme: "Basic" },
 *   onScript: (script) => void scripts.push(script),
 * });
 * console.assert(await response?.text() === "ada at 192.0.2.1");
 * ```
 */
export interface Connection {
  /** The client's end of the connection, or `null` when it is not known. */
  readonly remote?: NetworkAddress | null;
  /** This server's end. */
  readonly local?: NetworkAddress | null;
  /** Whether the request came over TLS. Default: what the request's URL says. */
  readonly secure?: boolean;
  /** The request's protocol, such as `HTTP/1.0`, where the runtime tells it. Default: `HTTP/1.1`. */
  readonly protocol?: string;
  /** The user, once this server has verified who it is. Never taken from a header. */
  readonly user?: VerifiedUser | null;
  /** A name for this request in logs and for scripts. */
  readonly requestId?: string;
  /** The path prefix that led here, decoded, without a slash at its end: `""`, `/cgi-bin`. */
  readonly mount?: string;
  /** Answers a request as the whole server would: where a local redirect (RFC 3875 section 6.2.2) is sent. */
  readonly dispatch?: Handler;
  /** How many local redirects led here. */
  readonly redirects?: number;
  /** What the handler has begun for this very request when it was asked to answer at once. */
  readonly begun?: Begun;
  /** Calls back when the response has been sent or broken off. Given by servers that can tell. */
  readonly onSent?: (callback: (sent: Sent) => void) => void;
  /** Takes note of the script that answers the request. Given by whoever logs it. */
  readonly onScript?: (script: AnsweringScript) => void;
  /** Takes note of the user, once it is verified. Given by whoever logs the request. */
  readonly onUser?: (user: VerifiedUser) => void;
}

/**
 * Work that was begun for a request before the handler was asked in full ({@linkcode Handler.atOnce}). Whoever gets one
 * asks the handler in full, with it in `connection.begun`: also when the client has left meanwhile.
 *
 * @example
 * ```ts
 * import type { AtOnce, Begun, Handler } from "htbin";
 *
 * // A server of one's own: at once if it can be, else in full.
 * async function answer(handler: Handler, request: Request): Promise<number | undefined> {
 *   const { pathname, search } = new URL(request.url);
 *   const head = { method: request.method, target: pathname + search, headers: request.headers };
 *   const made: Awaited<ReturnType<AtOnce>> = await handler.atOnce?.(head, {}) ?? "later";
 *   if (typeof made === "object" && "status" in made) return made.status;
 *   const begun: Begun | undefined = typeof made === "object" ? made : undefined;
 *   return (await handler(request, begun === undefined ? {} : { begun }))?.status;
 * }
 * const hello: Handler = () => new Response("Hello");
 * console.assert(await answer(hello, new Request("http://localhost/")) === 200);
 * ```
 */
export interface Begun {
  /** What the request is called from here on. */
  readonly requestId: string;
  /** When it began, as `performance.now()` has it. */
  readonly started: number;
}

/** Somebody whose password or the like has been checked. */
export interface VerifiedUser {
  /** The user's name: `REMOTE_USER`. */
  readonly name: string;
  /** How it was checked: `Basic`. */
  readonly scheme: string;
}

/** What became of a response. */
export interface Sent {
  /** Whether the response was begun at all: the client may have left before. */
  readonly begun: boolean;
  /** Bytes of its body that were handed to the connection. */
  readonly bytes: number;
  /** Whether that was all of it. */
  readonly complete: boolean;
}

/** A script that answers a request. */
export interface AnsweringScript {
  /** Path of its file. */
  readonly path: string;
  /** Its process number. */
  readonly pid: number;
  /** How it ended, `null` while it runs. */
  exit(): ExitStatus | null;
  /** How it ended, if it does so within this time. */
  exitWithin(ms: number): Promise<ExitStatus | null>;
}

/**
 * Answers a request, or passes it on with `undefined`: "not mine".
 *
 * @example
 * ```ts
 * import type { Handler } from "htbin";
 *
 * const hello: Handler = (request) =>
 *   new URL(request.url).pathname === "/hello" ? new Response("Hello") : undefined;
 * ```
 */
export interface Handler {
  /** Answers a request. */
  (request: Request, connection?: Connection): Response | undefined | Promise<Response | undefined>;
  /**
   * Answers without being asked in full, where that can be done at once. Optional, and never another answer than the
   * handler's own.
   */
  readonly atOnce?: AtOnce;
}
