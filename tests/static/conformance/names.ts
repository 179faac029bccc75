/**
 * Section 5.4: names and how they are written in a URL.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { concat, toBytes } from "../../_http.ts";
import { ask, askRaw, expectError, expectRedirect, expectStatus } from "../_ask.ts";
import { siteFixture } from "../_site_fixture.ts";
import { middleware } from "./methods.ts";

/** Names and encodings. */
export const names: ConformanceSection = {
  title: "Names and encodings",
  cases: [
    test(
      22,
      "T",
      "GET /a%20b.txt",
      "200",
      () => expectFile("/a%20b.txt", "space"),
    ),
    test(
      23,
      "T",
      "GET /c%23d.txt",
      "200",
      () => expectFile("/c%23d.txt", "hash"),
    ),
    test(
      24,
      "T",
      "GET /q%3F.txt",
      "200",
      () => expectFile("/q%3F.txt", "question"),
    ),
    test(
      25,
      "T",
      "GET /50%25.txt, /50%2525.txt",
      "200, 404: decoded once",
      async () => {
        await expectFile("/50%25.txt", "percent");
        await expectMissing("/50%2525.txt");
      },
    ),
    test(
      26,
      "T",
      "GET /%C3%A9.txt, and the same as raw UTF-8",
      "200; 400: RFC 3986 has no such bytes",
      async () => {
        await expectFile("/%C3%A9.txt", "accent");
        expectError(await askRaw({}, rawTarget("/\u00e9.txt")), 400);
      },
    ),
    test(
      27,
      "C",
      "GET /e%CC%81.txt (NFD)",
      "404: names are bytes",
      () => expectMissing("/e%CC%81.txt"),
    ),
    test(
      28,
      "T",
      "GET /foo%, /%ZZ",
      "400",
      async () => {
        for (const path of ["/foo%", "/%ZZ", "/%2", "/a%/b"]) {
          expectError(await ask({}, `GET ${path}`), 400);
        }
      },
    ),
    test(
      29,
      "T",
      "GET /%00, /hello.txt%00.html",
      "400, and the server goes on",
      async () => {
        for (const path of ["/%00", "/hello.txt%00.html", "/sub%00/"]) {
          expectError(await ask({}, `GET ${path}`), 400);
        }
        await expectFile("/hello.txt", "0123456789");
      },
    ),
    test(
      30,
      "C",
      "GET /%FF.txt, in a folder that has such a name",
      "200 with its bytes, 404 or 400, never 500; the folder's listing is 200",
      undecodable,
    ),
    test(
      31,
      "T",
      "GET / and 300 times a",
      "404",
      () => expectMissing(`/${"a".repeat(300)}`),
    ),
    test(
      32,
      "T",
      "GET /hello.txt/more",
      "404",
      () => expectMissing("/hello.txt/more"),
    ),
    test(
      33,
      "T",
      "GET /sub%2Findex.html",
      "404; as middleware it is passed on",
      async () => {
        await expectMissing("/sub%2Findex.html");
        await expectMissing("/sub%2findex.html");
        await expectPassedOn("/sub%2Findex.html");
      },
    ),
    test(
      34,
      "C",
      "GET //sub//index.html",
      "301 to /sub/index.html; as middleware it is passed on",
      async () => {
        const response = await ask({}, "GET //sub//index.html");
        expectRedirect(response, "/sub/index.html");
        await expectPassedOn("//sub//index.html");
      },
    ),
    test(
      35,
      "T",
      "GET /sub%5Cindex.html, /x%5C..%5C..%5Coutside%5Csecret.txt",
      "404 on every system",
      async () => {
        await expectMissing("/sub%5Cindex.html");
        await expectMissing("/x%5C..%5C..%5Coutside%5Csecret.txt");
      },
    ),
    test(
      36,
      "C",
      "GET /hello.txt::$DATA, /HELLO~1.TXT, /nul, /hello.txt., /C:/hello.txt",
      "400 or 404 on every system",
      async () => {
        const paths = [
          "/hello.txt::$DATA",
          "/HELLO~1.TXT",
          "/nul",
          "/hello.txt.",
          "/hello.txt%20",
          "/C:/hello.txt",
        ];
        for (const path of paths) {
          const response = await ask({}, `GET ${path}`);
          expectError(response, response.status === 400 ? 400 : 404);
        }
      },
    ),
    test(
      37,
      "T",
      "GET /sub%0d%0aX-Evil:1",
      "404, no X-Evil header anywhere",
      async () => {
        for (const path of ["/sub%0d%0aX-Evil:1", "/sub%0a%0dX-Evil:1"]) {
          const response = await ask({}, `GET ${path}`);
          expectError(response, 404);
          assert.equal(response.header("x-evil"), null);
        }
      },
    ),
  ],
};

async function expectFile(path: string, content: string): Promise<void> {
  const response = await ask({}, `GET ${path}`);
  expectStatus(response, 200);
  assert.equal(response.text, content);
}

async function expectMissing(path: string): Promise<void> {
  expectError(await ask({}, `GET ${path}`), 404);
}

async function expectPassedOn(path: string): Promise<void> {
  assert.equal((await ask(middleware, `GET ${path}`)).text, "next handler");
}

function rawTarget(target: string): Uint8Array {
  return concat([
    toBytes("GET "),
    toBytes(target),
    toBytes(" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
  ]);
}

async function undecodable(): Promise<void> {
  const options = { root: siteFixture().undecodable, listing: true };
  const response = await ask(options, "GET /%FF.txt");
  if (response.status === 200) assert.equal(response.text, "bytes");
  else expectError(response, response.status === 400 ? 400 : 404);
  const listing = await ask(options, "GET /");
  expectStatus(listing, 200);
  assert.match(listing.text, /plain\.txt/);
}
