/**
 * Content codings and media types.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { compressBytes, platformCodings } from "../../src/static/compression.ts";
import { acceptedCodings, isCompressible } from "../../src/static/encodings.ts";
import { mediaTypes } from "../../src/static/media_type.ts";
import { knownTypes, mediaTypeTable, TABLE_FILE } from "../_media_type_table.ts";

describe("acceptedCodings()", () => {
  const cases: [string | null, string][] = [
    [null, ""],
    ["", ""],
    ["gzip, br", "br gzip"],
    ["gzip, deflate, br, zstd", "zstd br gzip"],
    ["br;q=0, gzip", "gzip"],
    ["gzip;q=1.0, br;q=0.2", "gzip br"],
    ["*", "zstd br gzip"],
    ["*;q=0.5, gzip", "gzip zstd br"],
    ["*, br;q=0", "zstd gzip"],
    ["*;q=0", ""],
    ["gzip, *;q=0", "gzip"],
    ["brotli", ""],
    ["br;q=abc", ""],
    ["br;q=1.5, gzip", "gzip"],
    ["br;q=-1", ""],
    ["br ; q=0.5 , GZIP;Q=0.4", "br gzip"],
    ["x-gzip", "gzip"],
    ["identity", ""],
    ["identity;q=0, gzip", "gzip"],
    // Liked less than the file as it is.
    ["identity, gzip;q=0.5", ""],
    ["identity;q=0.5, gzip;q=0.8, br;q=0.2", "gzip"],
    ["brx, xbr, gzip2", ""],
    ["br\tgzip", ""],
  ];
  for (const [field, expected] of cases) {
    it(`takes ${field} as "${expected}"`, () => assert.equal(acceptedCodings(field).join(" "), expected));
  }
});

describe("isCompressible()", () => {
  it("knows what gets smaller", () => {
    for (
      const type of [
        "text/html; charset=utf-8",
        "text/javascript",
        "application/json",
        "application/manifest+json",
        "image/svg+xml",
        "application/wasm",
        "font/ttf",
        "image/bmp",
        "application/xml; charset=utf-8",
      ]
    ) assert.equal(isCompressible(type), true, type);
    for (
      const type of [
        "image/png",
        "image/jpeg",
        "video/mp4",
        "application/zip",
        "application/gzip",
        "font/woff2",
        "application/octet-stream",
        "application/pdf",
        "text/event-stream",
        "application/jsonish",
      ]
    ) assert.equal(isCompressible(type), false, type);
  });
});

describe("compressBytes()", () => {
  it("makes gzip that the platform reads back", async () => {
    assert.ok(platformCodings().includes("gzip"));
    const original = new TextEncoder().encode("abc".repeat(1000));
    const compressed = await compressBytes(original, "gzip");
    assert.ok(compressed.byteLength < 200);
    const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
    assert.deepEqual(new Uint8Array(await new Response(stream).arrayBuffer()), original);
  });
});

describe("mediaTypes()", () => {
  const typeOf = mediaTypes(
    { ".foo": "text/x-foo", ".tar.gz": "application/x-tgz" },
    "application/octet-stream",
  );
  const cases: [string, string][] = [
    ["a.txt", "text/plain; charset=utf-8"],
    ["A.TXT", "text/plain; charset=utf-8"],
    ["a.html", "text/html; charset=utf-8"],
    ["a.js", "text/javascript; charset=utf-8"],
    ["a.mjs", "text/javascript; charset=utf-8"],
    ["a.json", "application/json"],
    ["a.svg", "image/svg+xml"],
    ["a.wasm", "application/wasm"],
    ["a.md", "text/markdown; charset=utf-8"],
    ["a.gz", "application/gzip"],
    ["a.foo", "text/x-foo; charset=utf-8"],
    ["a.tar.gz", "application/x-tgz"],
    ["a.unknown-ending", "application/octet-stream"],
    ["noext", "application/octet-stream"],
    [".txt", "application/octet-stream"],
    ["dot.", "application/octet-stream"],
  ];
  for (const [name, type] of cases) {
    it(`takes ${name} for ${type}`, () => assert.equal(typeOf(name), type));
  }

  it("knows what @std/media-types knows, by the table that `npm run media-types` writes", async () => {
    const builtIn = mediaTypes({}, "x/unknown");
    const known = await knownTypes();
    assert.ok(known.size > 1000);
    for (const [ending, type] of known) {
      assert.equal(builtIn(`a.${ending}`).replace("; charset=utf-8", ""), type, ending);
    }
    assert.equal(builtIn("a.html css"), "x/unknown");
    assert.equal(readFileSync(TABLE_FILE, "utf8"), await mediaTypeTable());
  });

  it("refuses what cannot be a type", () => {
    assert.throws(() => mediaTypes({ txt: "text/plain" }, "a/b"), TypeError);
    assert.throws(() => mediaTypes({ ".txt": "text" }, "a/b"), TypeError);
    assert.throws(() => mediaTypes({}, "text/html\r\nX-Evil: 1"), TypeError);
  });
});
