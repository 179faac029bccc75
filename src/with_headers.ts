/**
 * Headers on every response of a handler, whatever it is.
 *
 * @module
 */

import {
  askAtOnce,
  type AtOnce,
  changeAnswer,
  preparedHeaders,
  type PreparedResponse,
  withOther,
} from "./at_once.ts";
import { changeable } from "./changeable.ts";
import type { Connection, Handler } from "./handler.ts";
import { addVary, type HeaderField, responseField } from "./header_field.ts";

/**
 * Puts headers on every response of a handler: files, listings, redirects, errors, what scripts answer.
 *
 * They take the place of what the response has by these names; `Set-Cookie` and `Vary` are added to it. Several values
 * for one name are given as several entries. What a handler passes on (`undefined`) is passed on.
 *
 * @throws {TypeError} For a name or value that cannot be sent, such as one with a line break, and for a name that only
 *   the server or the body's maker can know the value of: `Content-Length`, `Content-Type`, `Date`.
 *
 * @example
 * ```ts
 * import { staticFiles, withHeaders } from "htbin";
 *
 * const handler = withHeaders({ "X-Frame-Options": "DENY" }, staticFiles({ root: "examples/site" }));
 * const response = await handler(new Request("http://localhost/missing"));
 * console.assert(response?.status === 404);
 * console.assert(response?.headers.get("x-frame-options") === "DENY");
 * ```
 */
export function withHeaders(
  headers: Readonly<Record<string, string>> | Iterable<readonly [name: string, value: string]>,
  handler: Handler,
): Handler {
  const entries = Symbol.iterator in headers ? headers : Object.entries(headers);
  const apply = headersPutter(Array.from(entries, ([name, value]) => responseField(name, value)));
  return puttingHeaders(apply, handler);
}

/** A handler whose responses are changed by `put` alone: by what it is, whatever the request. */
export function puttingHeaders(put: (response: Response) => Response, handler: Handler): Handler {
  return changingHeaders({ kindOf: () => "", put }, handler);
}

/** How headers are changed. */
export interface HeaderChange {
  /** What of a request's fields the change depends on: one of a few texts. */
  kindOf(fields: Pick<Headers, "get">): string;
  /** Changes a response for requests of this kind. */
  put(response: Response, kind: string): Response;
}

/** A handler whose responses are changed so. */
export function changingHeaders(
  { kindOf, put }: HeaderChange,
  handler: Handler,
): Handler & { readonly atOnce: AtOnce } {
  // By fields, which come again: a log makes a new answer of each.
  const done = new Map<string, WeakMap<PreparedResponse["headers"], Changed>>();
  const atOnce: AtOnce = (head, connection) =>
    changeAnswer(askAtOnce(handler, head, connection), (answer) => change(answer, kindOf(head.headers)));

  function change(answer: PreparedResponse, kind: string): PreparedResponse {
    let ofKind = done.get(kind);
    if (ofKind === undefined) done.set(kind, ofKind = new WeakMap());
    const { status, headers } = answer;
    let changed = ofKind.get(headers);
    if (changed === undefined || changed.status !== status) {
      changed = { status, headers: preparedHeaders(put(responseOf(answer), kind).headers) };
      ofKind.set(headers, changed);
    }
    return withOther(answer, changed.headers, answer.onSent);
  }
  return Object.assign(handleWithHeaders, { atOnce });

  async function handleWithHeaders(
    request: Request,
    connection?: Connection,
  ): Promise<Response | undefined> {
    const response = await handler(request, connection);
    return response && put(response, kindOf(request.headers));
  }
}

/** Fields that have been changed, of an answer with this status. */
type Changed = Pick<PreparedResponse, "status" | "headers">;

function responseOf({ status, headers }: PreparedResponse): Response {
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === "string"
      ? [[name, value] as [string, string]]
      : value.map((one): [string, string] => [name, one])
  );
  return new Response(null, { status, headers: fields });
}

/** Puts these fields on a response. Doing it twice changes nothing more. */
export function headersPutter(fields: readonly HeaderField[]): (response: Response) => Response {
  const cookies: string[] = [];
  const values = new Map<string, string>();
  for (const [name, value] of fields) {
    const before = values.get(name);
    if (name === "set-cookie") cookies.push(value);
    else values.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return (given) => {
    const response = changeable(given);
    const { headers } = response;
    for (const [name, value] of values) {
      if (name === "vary") addVary(headers, value);
      else headers.set(name, value);
    }
    for (const cookie of cookies) {
      // A script's local redirect comes by here twice.
      if (!headers.getSetCookie().includes(cookie)) headers.append("set-cookie", cookie);
    }
    return response;
  };
}
