/**
 * Local redirects: a script's `Location: /path` is answered as if that path had been requested (RFC 3875 section
 * 6.2.2).
 *
 * @module
 */

import type { Connection } from "../handler.ts";
import { requestUrl } from "../request_path.ts";

/** More redirects than these, one after the other, are a loop. */
export const MOST_REDIRECTS = 10;

/** Where a redirected request came from, percent-encoded. */
export interface RedirectSource {
  readonly url: string;
  readonly query: string;
}

/** Fields of the request that speak of its body, which the target does not get. */
const BODY_FIELDS: readonly string[] = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-md5",
  "content-range",
  "content-type",
  "digest",
  "expect",
  "trailer",
  "transfer-encoding",
];

const sources = new WeakMap<object, RedirectSource>();

/** What a local redirect led to this request from, or `null`. */
export function redirectSource(request: object): RedirectSource | null {
  return sources.get(request) ?? null;
}

/**
 * Answers `target` in the place of `request`: with its headers, without its body, as GET (or HEAD). `undefined` when
 * nothing can answer it: the handler was called by a program that gave it no `dispatch`.
 */
export async function redirectLocally(
  target: string,
  request: Request,
  connection: Connection,
): Promise<Response | undefined> {
  const { dispatch } = connection;
  if (dispatch === undefined) return undefined;
  const from = requestUrl(request);
  const headers = new Headers(request.headers);
  for (const name of BODY_FIELDS) headers.delete(name);
  // Joined as text: resolving `target` against the URL could lead to another host.
  const redirected = new Request(from.origin + target, {
    method: request.method === "HEAD" ? "HEAD" : "GET",
    headers,
    signal: request.signal,
  });
  sources.set(redirected, { url: from.pathname, query: from.search.slice(1) });
  // What the router said of the first path does not hold for this one.
  const { mount: _mount, begun: _begun, ...rest } = connection;
  return await dispatch(redirected, {
    ...rest,
    redirects: (connection.redirects ?? 0) + 1,
  });
}
