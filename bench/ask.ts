/**
 * One request whose answer is looked at, before anything is measured.
 *
 * @module
 */

/** Asks as a client would that knows no compression and follows nothing. */
export function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("accept-encoding", "identity");
  return fetch(url, { ...init, headers, redirect: "manual", signal: AbortSignal.timeout(20_000) });
}
