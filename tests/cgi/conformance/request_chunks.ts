/**
 * Group C, the syntax of chunked bodies.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceCase, test } from "../../_conformance.ts";
import { type RawResponse, requestHead } from "../../_http.ts";
import { askBytes, expectStatus, expectText, expectVariables, usualServer } from "./_ask.ts";

const NO_TRAILERS =
  "A Request has no trailers, and the runtime does not hand them over: they are read and dropped, none of them reaches a variable.";
const DROPS_TRAILERS = { runtimes: ["deno", "bun", "node"], reason: NO_TRAILERS } as const;

/** A chunked request to a script, its body as it is. */
async function send(body: string, ...headers: string[]): Promise<RawResponse> {
  const head = requestHead(
    "POST",
    "/cgi-bin/count.sh",
    "Transfer-Encoding: chunked",
    "Connection: close",
    ...headers,
  );
  return await askBytes(await usualServer(), head + body, "POST");
}

const TEN = "0123456789";

/** Chunk sizes, extensions, trailers, and what is none of them. */
export const chunkSyntaxCases: readonly ConformanceCase[] = [
  test("C7", "M", "chunked, sizes a, A and 10", "200; 10, 10 and 16 bytes", async () => {
    expectText(await send(`a\r\n${TEN}\r\n0\r\n\r\n`), "10 10\n");
    expectText(await send(`A\r\n${TEN}\r\n0\r\n\r\n`), "10 10\n");
    expectText(await send(`10\r\n${TEN}abcdef\r\n0\r\n\r\n`), "16 16\n");
  }),
  test("C8", "M", "chunked, with extensions: a; comment, 0; comment", "200, 10 bytes", async () => {
    expectText(await send(`a;comment=x\r\n${TEN}\r\n0;comment\r\n\r\n`), "10 10\n");
  }),
  test("C9", "M", "chunked, with a trailer, announced and not", "200 both, 10 bytes", async () => {
    expectText(await send(`a\r\n${TEN}\r\n0\r\nTest-Trailer: testing\r\n\r\n`), "10 10\n");
    expectText(
      await send(`a\r\n${TEN}\r\n0\r\nTest-Trailer: testing\r\n\r\n`, "Trailer: Test-Trailer"),
      "10 10\n",
    );
  }),
  test("C10", "C", "a trailer that the Trailer field does not announce", "400", async () => {
    expectStatus(await send(`a\r\n${TEN}\r\n0\r\nOther: x\r\n\r\n`, "Trailer: Test-Trailer"), 400);
  }, {
    impossible: [{
      ...DROPS_TRAILERS,
      run: async () =>
        expectText(await send(`a\r\n${TEN}\r\n0\r\nOther: x\r\n\r\n`, "Trailer: Test-Trailer"), "10 10\n"),
    }],
  }),
  test(
    "C11",
    "C",
    "an allowed trailer Test-Trailer: testing",
    "HTTP_TEST_TRAILER=testing",
    () => trailer("testing"),
    {
      impossible: [{ ...DROPS_TRAILERS, run: () => trailer(null) }],
    },
  ),
  test("C12", "T", "a trailer Content-Length: 0", "400", async () => {
    expectStatus(await send(`a\r\n${TEN}\r\n0\r\nContent-Length: 0\r\n\r\n`), 400);
  }, {
    impossible: [{
      ...DROPS_TRAILERS,
      run: async () => {
        const response = await send(`a\r\n${TEN}\r\n0\r\nContent-Length: 0\r\n\r\n`).catch(() => null);
        if (response === null || response.status === 400) return;
        expectText(response, "10 10\n");
      },
    }],
  }),
  test(
    "C13",
    "M",
    "a chunk size az; data longer than its size; a size line of more than 1 KiB; a stray CR or LF in it",
    "400 or a closed connection, the script is not run on it (RFC 9112 section 7.1.1 leaves long extensions to the server: if taken, then right)",
    malformed,
  ),
];

async function trailer(value: string | null): Promise<void> {
  const head = requestHead(
    "POST",
    "/cgi-bin/env.sh",
    "Transfer-Encoding: chunked",
    "Connection: close",
    "Trailer: Test-Trailer",
  );
  const response = await askBytes(
    await usualServer(),
    `${head}a\r\n${TEN}\r\n0\r\nTest-Trailer: testing\r\n\r\n`,
    "POST",
  );
  expectVariables(response, { HTTP_TEST_TRAILER: value, CONTENT_LENGTH: "10" });
}

async function malformed(): Promise<void> {
  const rows: readonly (readonly [name: string, body: string])[] = [
    ["no number", `az\r\n${TEN}\r\n0\r\n\r\n`],
    ["more data than said", `8\r\n${TEN}\r\n0\r\n\r\n`],
    ["a stray CR", `a\rx\r\n${TEN}\r\n0\r\n\r\n`],
    ["a stray LF", `a\nx\r\n${TEN}\r\n0\r\n\r\n`],
    ["a negative number", `-a\r\n${TEN}\r\n0\r\n\r\n`],
    ["a number with 0x", `0xa\r\n${TEN}\r\n0\r\n\r\n`],
    ["too large a number", `fffffffffffffffff\r\n${TEN}\r\n0\r\n\r\n`],
  ];
  for (const [name, body] of rows) {
    const response = await send(body).catch((error: Error) => error);
    if (response instanceof Error) assert.match(response.message, /connection ended/i, name);
    else assert.equal(response.status, 400, `${name}: ${response.head}${response.text}`);
  }
  const long = await send(`a;${"x".repeat(2000)}\r\n${TEN}\r\n0\r\n\r\n`).catch(() => null);
  if (long?.status === 200) expectText(long, "10 10\n");
  else assert.ok(long === null || long.status === 400 || long.status === 413, long?.head);
}
