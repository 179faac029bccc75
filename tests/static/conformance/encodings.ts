/**
 * Section 5.11: content codings and their negotiation.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceSection, test } from "../../_conformance.ts";
import type { RawResponse } from "../../_http.ts";
import { ask, expectError, expectHeaders, expectNotModified, expectStatus } from "../_ask.ts";
import { siteFixture } from "../_site_fixture.ts";

const ON = { precompressed: true } as const;

const IDENTITY = "export const app = 'identity';";

/** Encodings, with precompressed files on. */
export const encodings: ConformanceSection = {
  title: "Encodings and negotiation",
  cases: [
    test(
      141,
      "T",
      "GET /app.js, Accept-Encoding: gzip, br",
      "the bytes of app.js.br, Content-Encoding: br, the type of app.js, the length of the variant, Vary: Accept-Encoding",
      async () => {
        const response = await app("gzip, br");
        expectVariant(response, "br");
        expectHeaders(response, {
          "content-type": "text/javascript; charset=utf-8",
          "content-length": String("app.js as br".length),
          "last-modified": true,
        });
      },
    ),
    test(
      142,
      "S",
      "Accept-Encoding: br;q=0, gzip",
      "the gzip variant",
      async () => expectVariant(await app("br;q=0, gzip"), "gzip"),
    ),
    test(
      143,
      "C",
      "Accept-Encoding: gzip;q=1.0, br;q=0.2",
      "the gzip variant: the client's preference",
      async () => expectVariant(await app("gzip;q=1.0, br;q=0.2"), "gzip"),
    ),
    test(
      144,
      "T",
      "Accept-Encoding: *",
      "a variant",
      async () => {
        const response = await app("*");
        const coding = response.header("content-encoding") ?? "identity";
        assert.ok(["br", "zstd", "gzip"].includes(coding), coding);
        expectVariant(response, coding as Coding);
      },
    ),
    test(
      145,
      "T",
      "no Accept-Encoding",
      "identity, with Vary: Accept-Encoding",
      async () => expectVariant(await ask(ON, "GET /app.js"), null),
    ),
    test(
      146,
      "T",
      "Accept-Encoding: brotli; br;q=abc",
      "identity",
      async () => {
        for (const value of ["brotli", "br;q=abc", "xbr", "identity", ""]) {
          expectVariant(await app(value), null);
        }
      },
    ),
    test(
      147,
      "S",
      "Accept-Encoding: x-gzip",
      "the gzip variant",
      async () => expectVariant(await app("x-gzip"), "gzip"),
    ),
    test(
      148,
      "T",
      "Accept-Encoding: zstd, gzip",
      "the zstd variant",
      async () => expectVariant(await app("zstd, gzip"), "zstd"),
    ),
    test(
      149,
      "T",
      "GET /only.js, Accept-Encoding: br, gzip",
      "the gzip variant, the only one there is",
      async () => {
        const accept = "Accept-Encoding: br, gzip";
        const response = await ask(ON, "GET /only.js", accept);
        expectStatus(response, 200);
        assert.equal(response.text, "only.js as gz");
        expectHeaders(response, { "content-encoding": "gzip" });
      },
    ),
    test(
      150,
      "T",
      "GET /orphan.js, Accept-Encoding: gzip",
      "404: there is no such file",
      async () => {
        const accept = "Accept-Encoding: gzip";
        expectError(await ask(ON, "GET /orphan.js", accept), 404);
      },
    ),
    test(
      151,
      "C",
      "GET /dirvar.js, Accept-Encoding: br",
      "identity: the variant is a directory",
      async () => {
        const accept = "Accept-Encoding: br";
        const response = await ask(ON, "GET /dirvar.js", accept);
        expectStatus(response, 200);
        assert.equal(response.text, "export const dirvar = 1;");
        expectHeaders(response, { "content-encoding": null });
      },
    ),
    test(
      152,
      "T",
      "GET /img.png beside img.png.br, Accept-Encoding: br",
      "identity, no Vary: it is compressed already",
      async () => {
        const response = await other("/img.png");
        expectStatus(response, 200);
        assert.match(response.text, /PNG$/);
        expectHeaders(response, { "content-encoding": null, "vary": null });
      },
    ),
    test(
      153,
      "T",
      "a variant longer than its original",
      "complete",
      async () => {
        const response = await other("/short.js");
        expectStatus(response, 200);
        expectHeaders(response, {
          "content-encoding": "br",
          "content-length": "70000",
        });
        assert.equal(response.text, "x".repeat(70_000));
      },
    ),
    test(
      154,
      "C",
      "a variant older than its original",
      "identity: it is stale",
      async () => {
        const response = await other("/stale.js");
        expectStatus(response, 200);
        assert.equal(response.text, "export const fresh = true;");
        expectHeaders(response, {
          "content-encoding": null,
          "vary": /accept-encoding/i,
        });
      },
    ),
    test(
      155,
      "M",
      "the ETags of identity, gzip, br and zstd; If-None-Match: the br tag with Accept-Encoding: gzip",
      "all different; 200",
      tagPerCoding,
    ),
    test(
      156,
      "M",
      "HEAD /app.js, Accept-Encoding: br",
      "the headers of #141, no body",
      async () => {
        const accept = "Accept-Encoding: br";
        const response = await ask(ON, "HEAD /app.js", accept);
        expectStatus(response, 200);
        expectHeaders(response, {
          "content-encoding": "br",
          "content-length": String("app.js as br".length),
          "content-type": "text/javascript; charset=utf-8",
          "vary": /accept-encoding/i,
        });
      },
    ),
    test(
      157,
      "C",
      "GET /app.js, Accept-Encoding: br, Range: bytes=0-3",
      "206 of the identity bytes, no Content-Encoding",
      async () => {
        const response = await app("br", "Range: bytes=0-3");
        expectStatus(response, 206);
        assert.equal(response.text, IDENTITY.slice(0, 4));
        expectHeaders(response, {
          "content-encoding": null,
          "content-range": `bytes 0-3/${IDENTITY.length}`,
          "vary": /accept-encoding/i,
        });
      },
    ),
    test(
      158,
      "T",
      "GET /app.js.br",
      "200, its bytes, no Content-Encoding",
      async () => {
        const accept = "Accept-Encoding: br, gzip";
        const response = await ask(ON, "GET /app.js.br", accept);
        expectStatus(response, 200);
        assert.equal(response.text, "app.js as br");
        expectHeaders(response, { "content-encoding": null });
      },
    ),
  ],
};

type Coding = "br" | "gzip" | "zstd";

const BYTES: Readonly<Record<Coding, string>> = {
  br: "app.js as br",
  gzip: "app.js as gz",
  zstd: "app.js as zst",
};

function app(accept: string, ...headers: string[]): Promise<RawResponse> {
  return ask(ON, "GET /app.js", `Accept-Encoding: ${accept}`, ...headers);
}

function other(path: string): Promise<RawResponse> {
  return ask(
    { root: siteFixture().encodings, precompressed: true },
    `GET ${path}`,
    "Accept-Encoding: br",
  );
}

function expectVariant(response: RawResponse, coding: Coding | null): void {
  expectStatus(response, 200);
  expectHeaders(response, {
    "content-encoding": coding,
    "vary": /accept-encoding/i,
  });
  assert.equal(response.text, coding === null ? IDENTITY : BYTES[coding]);
}

async function tagPerCoding(): Promise<void> {
  const tags = new Map<string, string>();
  for (const coding of ["identity", "gzip", "br", "zstd"]) {
    tags.set(coding, (await app(coding)).header("etag") ?? "");
  }
  const opaque = [...tags.values()].map((tag) => tag.replace(/^W\//, ""));
  assert.equal(new Set(opaque).size, 4, [...tags].join(" "));
  const brotli = `If-None-Match: ${tags.get("br")}`;
  expectVariant(await app("gzip", brotli), "gzip");
  expectNotModified(await app("br", brotli));
}
