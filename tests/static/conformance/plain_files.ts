/**
 * Section 5.2: plain files.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { toBytes } from "../../_http.ts";
import { ask, askRaw, expectError, expectHeaders, expectStatus, expectWhole } from "../_ask.ts";
import { MODIFIED, siteFixture } from "../_site_fixture.ts";

/** Media types by ending. */
const TYPES: Readonly<Record<string, string | RegExp>> = {
  "a.html": "text/html; charset=utf-8",
  "a.css": "text/css; charset=utf-8",
  "a.js": "text/javascript; charset=utf-8",
  "a.mjs": "text/javascript; charset=utf-8",
  "a.json": /^application\/json(; charset=utf-8)?$/,
  "a.svg": /^image\/svg\+xml(; charset=utf-8)?$/,
  "a.wasm": "application/wasm",
  "a.md": "text/markdown; charset=utf-8",
  "a.gz": "application/gzip",
  "a.tar.gz": "application/gzip",
};

/** Plain files. */
export const plainFiles: ConformanceSection = {
  title: "Plain files",
  cases: [
    test(
      1,
      "T",
      "GET /hello.txt",
      "200, the ten bytes, Content-Length, Content-Type with charset, Last-Modified, strong ETag, Accept-Ranges, Date",
      async () => expectWhole(await ask({}, "GET /hello.txt")),
    ),
    test(
      2,
      "M",
      "HEAD /hello.txt",
      "200, every header of #1, no body",
      async () => {
        const get = await ask({}, "GET /hello.txt");
        const head = await ask({}, "HEAD /hello.txt");
        expectStatus(head, 200);
        expectHeaders(head, { "date": / GMT$/ });
        assert.deepEqual(headersWithoutDate(head), headersWithoutDate(get));
      },
    ),
    test(
      3,
      "T",
      "GET /hello.txt?x=1",
      "as #1",
      async () => expectWhole(await ask({}, "GET /hello.txt?x=1")),
    ),
    test(
      4,
      "T",
      "GET /empty.txt",
      "200, Content-Length: 0",
      async () => {
        const response = await ask({}, "GET /empty.txt");
        expectStatus(response, 200);
        expectHeaders(response, {
          "content-length": "0",
          "transfer-encoding": null,
        });
      },
    ),
    test(
      5,
      "T",
      "GET /nope.txt",
      "404, Content-Length equals the body's length",
      async () => {
        const response = await ask({}, "GET /nope.txt");
        expectError(response, 404);
        assert.ok(response.body.length > 0);
      },
    ),
    test(
      6,
      "T",
      "HEAD /nope.txt",
      "404, the headers of #5, no body",
      async () => {
        const get = await ask({}, "GET /nope.txt");
        const head = await ask({}, "HEAD /nope.txt");
        expectError(head, 404);
        assert.deepEqual(headersWithoutDate(head), headersWithoutDate(get));
      },
    ),
    test(
      7,
      "C",
      "GET /noext",
      "200, application/octet-stream",
      async () => {
        const response = await ask({}, "GET /noext");
        expectStatus(response, 200);
        expectHeaders(response, {
          "content-type": "application/octet-stream",
        });
      },
    ),
    test(
      8,
      "T",
      "GET /noext, default type text/html",
      "200, text/html",
      async () => {
        const options = { defaultType: "text/html" };
        const response = await ask(options, "GET /noext");
        expectStatus(response, 200);
        expectHeaders(response, { "content-type": /^text\/html/ });
      },
    ),
    test(
      9,
      "T",
      "GET of .html .css .js .mjs .json .svg .wasm .md .gz .tar.gz",
      "their media types, text with charset=utf-8, never Content-Encoding on .gz",
      async () => {
        for (const [name, type] of Object.entries(TYPES)) {
          const options = { root: siteFixture().types };
          const response = await ask(options, `GET /${name}`);
          expectStatus(response, 200);
          expectHeaders(response, {
            "content-type": type,
            "content-encoding": null,
          });
        }
      },
    ),
    test(
      10,
      "M",
      "GET /future.txt",
      "Last-Modified not later than Date",
      async () => {
        const response = await ask({}, "GET /future.txt");
        expectStatus(response, 200);
        const modified = Date.parse(response.header("last-modified") ?? "");
        const date = Date.parse(response.header("date") ?? "");
        assert.ok(modified <= date, response.head);
      },
    ),
    test(
      11,
      "C",
      "GET /epoch.txt",
      "200 without Last-Modified and ETag: the time is not believable",
      async () => {
        const response = await ask({}, "GET /epoch.txt");
        expectStatus(response, 200);
        assert.equal(response.text, "from 1970");
        expectHeaders(response, { "last-modified": null, "etag": null });
      },
    ),
    test(
      12,
      "T",
      "change hello.txt, GET again",
      "new ETag and body",
      changedFile,
    ),
    test(
      13,
      "T",
      "GET http://other.test/hello.txt (absolute form)",
      "200 as #1",
      async () => expectWhole(await ask({}, "GET http://other.test/hello.txt")),
    ),
    test(
      14,
      "T",
      "GET ../../.. (not origin-form)",
      "400",
      async () => {
        const request = "GET ../../.. HTTP/1.1\r\nHost: localhost\r\n\r\n";
        expectStatus(await askRaw({}, toBytes(request)), 400);
      },
    ),
  ],
};

function headersWithoutDate(
  { headers }: { readonly headers: readonly (readonly [string, string])[] },
): string[] {
  return headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .filter((line) => !line.startsWith("date: ")).sort();
}

async function changedFile(): Promise<void> {
  const root = join(siteFixture().scratch(), "site");
  mkdirSync(root);
  const path = join(root, "hello.txt");
  writeFileSync(path, "before");
  utimesSync(path, MODIFIED, MODIFIED);
  const before = await ask({ root }, "GET /hello.txt");
  assert.equal(before.text, "before");
  // The same length: it is the time that tells.
  writeFileSync(path, "after!");
  const after = await ask({ root }, "GET /hello.txt");
  assert.equal(after.text, "after!");
  assert.notEqual(after.header("etag"), before.header("etag"));
  // The same time: it is the length that tells.
  writeFileSync(path, "and after that");
  utimesSync(path, MODIFIED, MODIFIED);
  const last = await ask({ root }, "GET /hello.txt");
  assert.equal(last.text, "and after that");
  assert.notEqual(last.header("etag"), before.header("etag"));
}
