/**
 * Group J, requests that are malformed or too large.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceCase, test } from "../../_conformance.ts";
import type { RawResponse } from "../../_http.ts";
import { askBroken, askUsual, expectStatus, usualServer } from "./_ask.ts";

/** Sends these lines, and returns what comes back: `null` when the server hangs up without a word. */
async function raw(...lines: string[]): Promise<RawResponse | null> {
  const server = await usualServer();
  const response = await askBroken(server, [...lines, "", ""].join("\r\n"));
  // Whatever was asked, the server goes on.
  expectStatus(await askUsual("GET /page.html"), 200);
  return response;
}

function among(response: RawResponse | null, ...statuses: readonly number[]): void {
  assert.ok(response !== null, "an answer");
  assert.ok(statuses.includes(response.status), response.head);
}

/** Methods, versions, sizes. */
export const versionCases: readonly ConformanceCase[] = [
  test("J12", "T", "methods FOO, custom, GETs", "501", unknownMethods),
  test(
    "J15",
    "T",
    "a request line of more than 65536 bytes",
    "414, 431 or 400 (the runtime's parser says which), or a closed connection; the server goes on",
    async () => {
      const response = await raw(`GET /${"x".repeat(70_000)} HTTP/1.1`, "Host: x");
      if (response !== null) among(response, 414, 431, 400, 404);
    },
  ),
  test(
    "J16",
    "T",
    "a header line of more than 65536 bytes; 101 headers",
    "431 or 400 (the runtime's parser), or a closed connection; 101 headers are answered: there is no such limit",
    async () => {
      const long = await raw("GET /page.html HTTP/1.1", "Host: x", `X-Long: ${"x".repeat(70_000)}`);
      if (long !== null) among(long, 431, 400, 200);
      const many = Array.from({ length: 101 }, (_, at) => `X-${at}: y`);
      among(await raw("GET /page.html HTTP/1.1", "Host: x", ...many), 200, 431);
    },
  ),
  test(
    "J17",
    "T",
    "versions FUBAR, HTTP/9.9.9, HTTP/-9_9_9.+9_9_9, huge numbers, HTTP/9.9",
    "400 or 505, or a closed connection; never served",
    async () => {
      const versions = [
        "FUBAR",
        "HTTP/9.9.9",
        "HTTP/-9_9_9.+9_9_9",
        `HTTP/${"9".repeat(300)}.1`,
        `HTTP/1.${"9".repeat(300)}`,
        "HTTP/9.9",
      ];
      for (const version of versions) {
        const response = await raw(`GET /page.html ${version}`, "Host: x").catch((error: Error) => {
          assert.match(error.message, /No sign|status line/);
          return null;
        });
        if (response !== null) among(response, 400, 505);
      }
    },
  ),
  test("J18", "T", "GET /spaced out HTTP/1.1", "400", async () => {
    const response = await raw("GET /spaced out HTTP/1.1", "Host: x");
    if (response !== null) among(response, 400);
  }),
  test("J19", "T", "<script> as a method", "nothing of it unescaped in the answer", async () => {
    const response = await raw("<script>alert(1)</script> /missing HTTP/1.1", "Host: x", "Accept: text/html");
    if (response !== null) {
      assert.ok(response.status >= 400);
      assert.doesNotMatch(response.text, /<script>/);
    }
    const path = await raw("GET /<script>alert(1)</script> HTTP/1.1", "Host: x", "Accept: text/html");
    if (path !== null) assert.doesNotMatch(path.text, /<script>/);
  }),
];

async function unknownMethods(): Promise<void> {
  for (const method of ["FOO", "custom", "GETs"]) {
    const response = await raw(`${method} /page.html HTTP/1.1`, "Host: x", "Connection: close");
    assert.equal(response?.status, 501, `${method}: ${response?.head}`);
    assert.doesNotMatch(response?.text ?? "", /PAGE/);
  }
}
