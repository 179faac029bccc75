/**
 * Section 5.9: conditional requests (RFC 9110 section 13).
 *
 * @module
 */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ConformanceSection, test } from "../../_conformance.ts";
import {
  ask,
  entityTag,
  expectError,
  expectHeaders,
  expectNotModified,
  expectRedirect,
  expectStatus,
  expectWhole,
} from "../_ask.ts";
import { LAST_MODIFIED, siteFixture } from "../_site_fixture.ts";

const HELLO = "GET /hello.txt";

/** Conditional requests, to `/hello.txt` unless said. */
export const conditional: ConformanceSection = {
  title: "Conditional requests",
  cases: [
    test(
      98,
      "M",
      "If-None-Match: E",
      "304, no body, no Content-Length or Content-Type, with ETag and Date, and with Vary and Cache-Control where a 200 has them",
      async () => {
        const whole = await ask({}, HELLO);
        const response = await ask({}, HELLO, ifNoneMatch(await entityTag()));
        expectNotModified(response);
        for (const name of ["etag", "vary", "cache-control"]) {
          assert.equal(response.header(name), whole.header(name), name);
        }
        const options = { precompressed: true };
        const tag = ifNoneMatch(await entityTag(options, "/app.js"));
        const varying = await ask(options, "GET /app.js", tag);
        expectNotModified(varying);
        expectHeaders(varying, { "vary": /accept-encoding/i });
      },
    ),
    test(
      99,
      "M",
      'If-None-Match: "x", E, "y"',
      "304",
      async () => {
        const tag = await entityTag();
        const tags = [`"x", ${tag}, "y"`, `"x",${tag},"y"`, `"a,b" , ${tag}`];
        for (const list of tags) {
          expectNotModified(await ask({}, HELLO, ifNoneMatch(list)));
        }
      },
    ),
    test(
      100,
      "M",
      "If-None-Match: E with W/ added or removed",
      "304: compared weakly",
      async () => {
        const strong = await entityTag();
        expectNotModified(await ask({}, HELLO, ifNoneMatch(`W/${strong}`)));
        const { root, tag } = await freshFile();
        const request = ifNoneMatch(tag.replace("W/", ""));
        expectNotModified(await ask({ root }, HELLO, request));
      },
    ),
    test(
      101,
      "M",
      "If-None-Match: *",
      "304",
      async () => expectNotModified(await ask({}, HELLO, ifNoneMatch("*"))),
    ),
    test(
      102,
      "M",
      'If-None-Match: "x" and If-Modified-Since: LM',
      "200: the date is not looked at",
      async () =>
        expectWhole(
          await ask({}, HELLO, ifNoneMatch('"x"'), since(LAST_MODIFIED)),
        ),
    ),
    test(
      103,
      "T",
      "If-Modified-Since: LM; LM + 1 h; LM - 365 d",
      "304; 304; 200",
      async () => {
        expectNotModified(await ask({}, HELLO, since(LAST_MODIFIED)));
        expectNotModified(await ask({}, HELLO, since(shifted(3_600_000))));
        const year = 365 * 86_400_000;
        expectWhole(await ask({}, HELLO, since(shifted(-year))));
      },
    ),
    test(
      104,
      "M",
      "If-Modified-Since: Tuesday, 02-Jan-24 03:04:05 GMT; Tue Jan  2 03:04:05 2024",
      "304; 304: all three forms of a date",
      async () => {
        const dates = [
          "Tuesday, 02-Jan-24 03:04:05 GMT",
          "Tue Jan  2 03:04:05 2024",
        ];
        for (const date of dates) {
          expectNotModified(await ask({}, HELLO, since(date)));
        }
      },
    ),
    test(
      105,
      "M",
      "If-Modified-Since: 275760-09-24; 2024-01-02T03:04:05Z; soon",
      "200 each: what is not an HTTP date is ignored",
      async () => {
        const dates = [
          "275760-09-24",
          "2024-01-02T03:04:05Z",
          "2034-01-02T03:04:05Z",
          "soon",
          "1704164645000",
          "",
        ];
        for (const date of dates) {
          expectWhole(await ask({}, HELLO, since(date)));
        }
      },
    ),
    test(
      106,
      "M",
      'If-Match: "x"',
      "412, a short body",
      async () => expectFailed(await ask({}, HELLO, 'If-Match: "x"')),
    ),
    test(
      107,
      "T",
      "If-Match: *",
      "200",
      async () => expectWhole(await ask({}, HELLO, "If-Match: *")),
    ),
    test(
      108,
      "M",
      "If-Match: E, E weak and E strong",
      "412; 200: compared strongly",
      async () => {
        const strong = await entityTag();
        expectWhole(await ask({}, HELLO, `If-Match: "x", ${strong}`));
        expectFailed(await ask({}, HELLO, `If-Match: W/${strong}`));
        const { root, tag } = await freshFile();
        expectFailed(await ask({ root }, HELLO, `If-Match: ${tag}`));
      },
    ),
    test(
      109,
      "T",
      "If-Unmodified-Since: LM; Mon, 18 Nov 1974 00:00:00 GMT; garbage",
      "200; 412; 200",
      async () => {
        const header = "If-Unmodified-Since:";
        expectWhole(await ask({}, HELLO, `${header} ${LAST_MODIFIED}`));
        const old = "Mon, 18 Nov 1974 00:00:00 GMT";
        expectFailed(await ask({}, HELLO, `${header} ${old}`));
        expectWhole(await ask({}, HELLO, `${header} garbage`));
      },
    ),
    test(
      110,
      "M",
      'If-Match: "x" and If-None-Match: E',
      "412: If-Match is first",
      async () => {
        const tag = ifNoneMatch(await entityTag());
        expectFailed(await ask({}, HELLO, tag, 'If-Match: "x"'));
      },
    ),
    test(
      111,
      "M",
      "If-Match: * and If-None-Match: E",
      "304",
      async () => {
        const tag = ifNoneMatch(await entityTag());
        expectNotModified(await ask({}, HELLO, tag, "If-Match: *"));
      },
    ),
    test(
      112,
      "M",
      'HEAD with If-None-Match: E; with If-Match: "x"',
      "304; 412",
      async () => {
        const tag = ifNoneMatch(await entityTag());
        expectNotModified(await ask({}, "HEAD /hello.txt", tag));
        expectFailed(await ask({}, "HEAD /hello.txt", 'If-Match: "x"'));
      },
    ),
    test(
      113,
      "M",
      "GET /nope, GET /sub with If-None-Match: *",
      "404; 301: conditions are for what would be 2xx",
      async () => {
        expectError(await ask({}, "GET /nope", ifNoneMatch("*")), 404);
        expectError(await ask({}, "GET /nope", 'If-Match: "x"'), 404);
        expectRedirect(
          await ask({}, "GET /sub", ifNoneMatch("*")),
          "/sub/",
        );
      },
    ),
  ],
};

function ifNoneMatch(tags: string): string {
  return `If-None-Match: ${tags}`;
}

function since(date: string): string {
  return `If-Modified-Since: ${date}`;
}

/** LM, some milliseconds later. */
function shifted(byMs: number): string {
  return new Date(Date.parse(LAST_MODIFIED) + byMs).toUTCString();
}

function expectFailed(response: Awaited<ReturnType<typeof ask>>): void {
  expectStatus(response, 412);
  assert.ok(response.body.length < 4096);
  assert.doesNotMatch(response.text, /0123456789/);
}

/**
 * A file so young that it may change again within the same instant: its tag is
 * weak. Written again in the rare case that two seconds pass before it is read.
 */
export async function freshFile(): Promise<{ root: string; tag: string }> {
  const root = siteFixture().scratch();
  for (let attempt = 0; attempt < 10; attempt++) {
    writeFileSync(join(root, "hello.txt"), "0123456789");
    const tag = await entityTag({ root });
    if (tag.startsWith("W/")) return { root, tag };
  }
  throw new Error("the entity tag of a file that was just written is not weak");
}
