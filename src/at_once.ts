/**
 * Answers that are there at once: made before, and still right. They need no `Request`, no `Response` and no promise,
 * which cost more than all the rest of a small answer.
 *
 * @module
 */

import type { AnsweringScript, Begun, Connection, Handler, Sent } from "./handler.ts";
import type { Bytes } from "./runtime.ts";

/** Fields of a request: `Headers` are such. */
export interface RequestFields {
  /** As `Headers.get()`: those of one name are joined. */
  get(name: string): string | null;
  /** Each of them; those of one name may come apart. */
  forEach(callback: (value: string, name: string) => void): void;
}

/** The head of a request for a target that begins with a slash, by a method that comes without a body. */
export interface RequestHead {
  /** GET or HEAD. */
  readonly method: string;
  /** Path and query, as the client sent them. */
  readonly target: string;
  /** The fields. */
  readonly headers: RequestFields;
  /**
   * Whether `headers` is the same object whenever the same request comes, never changed: then what follows from it may be
   * kept with it. @default {false}
   */
  readonly isKept?: boolean;
}

/** A response that is sent as it stands. */
export interface PreparedResponse {
  /** The status. */
  readonly status: number;
  /** The words after it, where they are not the usual ones. */
  readonly statusText?: string | undefined;
  /** Names in lower case, the body's length among them. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** `null` where none is sent: to HEAD, with 304. */
  readonly body: Bytes | null;
  /** Called once it has been sent or broken off. */
  readonly onSent?: ((sent: Sent) => void) | undefined;
  /** The script that gave the answer. */
  readonly script?: AnsweringScript | undefined;
  /** What the request was called while it was being answered. */
  readonly requestId?: string | undefined;
}

/**
 * What a handler says at once: its answer; `undefined` for "not mine", as the handler itself would say it; or `"later"`
 * when only the handler itself can tell. An answer that has to be made first, by a script, is a promise, which is never
 * rejected: it gives the answer, or what was begun when the handler itself has to go on with it. Of the connection it is
 * told the two ends and the mount.
 *
 * @example
 * ```ts
 * import type { AtOnce, Handler, PreparedResponse, RequestFields, RequestHead } from "htbin";
 *
 * const hello: PreparedResponse = {
 *   status: 200,
 *   headers: { "content-type": "text/plain", "content-length": "5" },
 *   body: new TextEncoder().encode("Hello"),
 * };
 * const atOnce: AtOnce = ({ method, target }: RequestHead) =>
 *   method === "GET" && target === "/hello" ? hello : "later";
 * const handler: Handler = Object.assign(() => new Response("Hello"), { atOnce });
 * const headers: RequestFields = new Headers();
 * console.assert(handler.atOnce?.({ method: "GET", target: "/hello", headers }, {}) === hello);
 * ```
 */
export type AtOnce = (
  head: RequestHead,
  connection: Connection,
) => PreparedResponse | undefined | "later" | Promise<PreparedResponse | Begun>;

/** Changes an answer, also one that is still being made. What is none stays what it is. */
export function changeAnswer(
  answer: ReturnType<AtOnce>,
  change: (prepared: PreparedResponse) => PreparedResponse,
): ReturnType<AtOnce> {
  if (typeof answer !== "object") return answer;
  if (!(answer instanceof Promise)) return change(answer);
  return answer.then((made) => "status" in made ? change(made) : made);
}

/**
 * The same answer with other fields, and with another one told of its end. Named one by one: to spread an object and add to
 * it takes Node 20 longer than all else that is done with an answer.
 */
export function withOther(
  { status, statusText, body, script, requestId }: PreparedResponse,
  headers: PreparedResponse["headers"],
  onSent: PreparedResponse["onSent"],
): PreparedResponse {
  return { status, statusText, headers, body, onSent, script, requestId };
}

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
