/**
 * Answers that are there at once: made before, and still right. They need no `Request`, no `Response` and no promise,
 * which cost more than all the rest of a small answer.
 *
 * @module
 */

import type { Connection, Handler, Sent } from "./handler.ts";
import type { Bytes } from "./runtime.ts";

/** The head of a request for a target that begins with a slash, by a method that comes without a body. */
export interface RequestHead {
  /** GET or HEAD. */
  readonly method: string;
  /** Path and query, as the client sent them. */
  readonly target: string;
  /** The fields; names are in lower case. */
  readonly headers: Pick<Headers, "get">;
}

/** A response that is sent as it stands. */
export interface PreparedResponse {
  /** The status. */
  readonly status: number;
  /** Names in lower case, the body's length among them. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** `null` where none is sent: to HEAD, with 304. */
  readonly body: Bytes | null;
  /** Called once it has been sent or broken off. */
  readonly onSent?: (sent: Sent) => void;
}

/**
 * What a handler says at once: its answer; `undefined` for "not mine", as the handler itself would say it; or `"later"`
 * when only the handler itself can tell. Of the connection it is told the two ends and the mount.
 *
 * @example
 * ```ts
 * import type { AtOnce, Handler, PreparedResponse, RequestHead } from "htbin";
 *
 * const hello: PreparedResponse = {
 *   status: 200,
 *   headers: { "content-type": "text/plain", "content-length": "5" },
 *   body: new TextEncoder().encode("Hello"),
 * };
 * const atOnce: AtOnce = ({ method, target }: RequestHead) =>
 *   method === "GET" && target === "/hello" ? hello : "later";
 * const handler: Handler = Object.assign(() => new Response("Hello"), { atOnce });
 * console.assert(handler.atOnce?.({ method: "GET", target: "/hello", headers: new Headers() }, {}) === hello);
 * ```
 */
export type AtOnce = (head: RequestHead, connection: Connection) => PreparedResponse | undefined | "later";

/** Asks a handler, also one that never answers at once. */
export function askAtOnce(
  { atOnce }: Handler,
  head: RequestHead,
  connection: Connection,
): ReturnType<AtOnce> {
  return atOnce === undefined ? "later" : atOnce(head, connection);
}

/** Headers in the form that a prepared response has. */
export function preparedHeaders(headers: Headers): PreparedResponse["headers"] {
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of headers) fields[name] = name === "set-cookie" ? headers.getSetCookie() : value;
  return fields;
}
