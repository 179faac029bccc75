/**
 * Section 5.6: directories, index files, clean URLs, single-page applications,
 * error pages, mounts.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Handler } from "../../../src/handler.ts";
import { route } from "../../../src/router.ts";
import { staticFiles } from "../../../src/static/mod.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import {
  ask,
  expectError,
  expectHeaders,
  expectRedirect,
  expectStatus,
  expectWhole,
  type Served,
} from "../_ask.ts";
import { siteFixture } from "../_site_fixture.ts";

const SPA = { spa: true } as const;
const CUSTOM = { notFoundPage: "404.html" } as const;

/** Directories. */
export const directories: ConformanceSection = {
  title: "Directories, index, clean URLs, SPA, error pages",
  cases: [
    test(
      45,
      "C",
      "GET /sub",
      "301, Location: /sub/, empty body",
      async () => {
        const response = await ask({}, "GET /sub");
        expectRedirect(response, "/sub/");
        assert.equal(response.body.length, 0);
        expectHeaders(response, { "content-length": "0" });
      },
    ),
    test(
      46,
      "T",
      "GET /sub?hi=1",
      "301, Location: /sub/?hi=1",
      async () => expectRedirect(await ask({}, "GET /sub?hi=1"), "/sub/?hi=1"),
    ),
    test(
      47,
      "T",
      "mounted at /static: GET /static/sub",
      "301, Location: /static/sub/",
      async () => {
        for (const served of mounted()) {
          const response = await ask(served, "GET /static/sub");
          expectRedirect(response, "/static/sub/");
          expectWhole(await ask(served, "GET /static/hello.txt"));
        }
      },
    ),
    test(
      48,
      "T",
      "GET /sub/, /sub/index.html",
      "200 SUB, both",
      async () => {
        await expectText({}, "/sub/", "SUB");
        await expectText({}, "/sub/index.html", "SUB");
      },
    ),
    test(
      49,
      "C",
      "GET /hello.txt/, /hello.txt%2f",
      "404",
      async () => {
        expectError(await ask({}, "GET /hello.txt/"), 404);
        expectError(await ask({}, "GET /hello.txt%2f"), 404);
      },
    ),
    test(
      50,
      "T",
      "GET /dirindex/ (index.html is a directory)",
      "the listing, 200; 404 without listing; never 500",
      async () => {
        const listing = await ask({ listing: true }, "GET /dirindex/");
        expectStatus(listing, 200);
        assert.match(listing.text, /Directory listing for \/dirindex\//);
        expectError(await ask({}, "GET /dirindex/"), 404);
      },
    ),
    test(
      51,
      "T",
      "GET /both/, /htm/",
      "index.html wins; index.htm alone is used",
      async () => {
        await expectText({}, "/both/", "BOTH HTML");
        await expectText({}, "/htm/", "HTM");
      },
    ),
    test(
      52,
      "T",
      "GET /linkidx/ (the index is a link inside the root)",
      "200, the page",
      () => expectText({}, "/linkidx/", /PAGE/),
    ),
    test(
      53,
      "T",
      "listing off, GET /list/",
      "404",
      async () => {
        const response = await ask({}, "GET /list/");
        expectError(response, 404);
        assert.doesNotMatch(response.text, /one\.txt/);
      },
    ),
    test(
      54,
      "C",
      "index off, listing on, GET /sub/",
      "the listing, not SUB",
      async () => {
        const options = { index: [], listing: true };
        const response = await ask(options, "GET /sub/");
        expectStatus(response, 200);
        assert.match(response.text, /href="(\.\/)?index\.html"/);
        assert.doesNotMatch(response.text, /SUB/);
      },
    ),
    test(
      55,
      "T",
      "clean URLs on, GET /page",
      "200, page.html",
      async () => {
        await expectText(clean(), "/page", "PAGE");
        expectError(await ask({}, "GET /page"), 404);
      },
    ),
    test(
      56,
      "T",
      "clean URLs on, sub/ and sub.html are both there, GET /sub",
      "301 to /sub/: nothing is shadowed",
      async () => expectRedirect(await ask(clean(), "GET /sub"), "/sub/"),
    ),
    test(
      57,
      "T",
      "clean URLs on, GET /page.html?x=1",
      "301, Location: /page?x=1",
      async () => {
        const response = await ask(clean(), "GET /page.html?x=1");
        expectRedirect(response, "/page?x=1");
      },
    ),
    test(
      58,
      "T",
      "SPA on, GET /deep/route with Accept: text/html",
      "200, the root's index",
      async () => {
        const accept = "Accept: text/html,*/*;q=0.8";
        const response = await ask(SPA, "GET /deep/route", accept);
        expectStatus(response, 200);
        assert.match(response.text, /ROOT/);
        expectHeaders(response, { "content-type": /^text\/html/ });
      },
    ),
    test(
      59,
      "T",
      "SPA on, GET /assets/nope.js",
      "404, not HTML with 200",
      async () => {
        const response = await ask(
          SPA,
          "GET /assets/nope.js",
          "Accept: text/html,*/*;q=0.8",
        );
        expectError(response, 404);
        assert.doesNotMatch(response.text, /ROOT/);
      },
    ),
    test(
      60,
      "C",
      "SPA on, GET /deep/route with Accept: application/json",
      "404",
      async () => {
        const accept = "Accept: application/json";
        expectError(await ask(SPA, "GET /deep/route", accept), 404);
      },
    ),
    test(
      61,
      "C",
      "SPA on, POST /deep/route",
      "405",
      async () => {
        const response = await ask(
          SPA,
          "POST /deep/route",
          "Accept: text/html",
          "Content-Length: 0",
        );
        expectError(response, 405);
      },
    ),
    test(
      62,
      "T",
      "custom page on, GET /nope",
      "404 with the body of 404.html, text/html",
      async () => expectCustomPage(await ask(CUSTOM, "GET /nope")),
    ),
    test(
      63,
      "M",
      "#62 with If-None-Match: *, with Range: bytes=0-0",
      "404 and the whole page, both times",
      async () => {
        const headers = ["If-None-Match: *", "Range: bytes=0-0"];
        for (const header of headers) {
          expectCustomPage(await ask(CUSTOM, "GET /nope", header));
        }
      },
    ),
    test(
      64,
      "C",
      "mounted at /static: GET /staticfoo/hello.txt",
      "404: a mount is whole segments",
      async () => {
        for (const served of mounted()) {
          expectError(await ask(served, "GET /staticfoo/hello.txt"), 404);
          expectError(await ask(served, "GET /hello.txt"), 404);
        }
      },
    ),
    test(
      65,
      "T",
      "the root is a file: GET /, GET /x",
      "200 that file, 404",
      async () => {
        const root = join(siteFixture().site, "hello.txt");
        expectWhole(await ask({ root }, "GET /"));
        expectError(await ask({ root }, "GET /x"), 404);
      },
    ),
  ],
};

function clean(): Served {
  return { root: siteFixture().clean, cleanUrls: true };
}

let routed: Handler | undefined;

/** Both ways to say where the root is: a router's, and the option. */
function mounted(): Served[] {
  routed ??= route([
    ["/static/*", staticFiles({ root: siteFixture().site })],
  ]);
  return [routed, { mount: "/static" }];
}

async function expectText(
  served: Served,
  path: string,
  text: string | RegExp,
): Promise<void> {
  const response = await ask(served, `GET ${path}`);
  expectStatus(response, 200);
  if (typeof text === "string") assert.equal(response.text, text);
  else assert.match(response.text, text);
}

function expectCustomPage(response: Awaited<ReturnType<typeof ask>>): void {
  expectError(response, 404);
  assert.equal(response.text, "<!DOCTYPE html><p>LOST");
  expectHeaders(response, {
    "content-type": /^text\/html/,
    "content-range": null,
  });
}
