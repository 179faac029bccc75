/**
 * One request whose answer is looked at, before anything is measured.
 *
 * @module
 */

import assert from "node:assert/strict";

/** Asks as a client would that knows no compression and follows nothing. */
export function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("accept-encoding", "identity");
  return fetch(url, { ...init, headers, redirect: "manual", signal: AbortSignal.timeout(20_000) });
}

/** Throws if that is not its status. The message is what stands in the table. */
export function expectStatus(response: Response, status: number): void {
  assert.equal(response.status, status, `status ${response.status} in place of ${status}`);
}

/** Throws if it does not say that its content is so long. */
export function expectLength(response: Response, bytes: number): void {
  const length = response.headers.get("content-length");
  assert.ok(length !== null, "no Content-Length");
  assert.equal(length, String(bytes), `Content-Length ${length} in place of ${bytes}`);
}

/** Throws if that is not what came. */
export function expectText(text: string, expected: string): void {
  assert.equal(text, expected, `"${text.slice(0, 20)}" in place of "${expected}"`);
}
