/**
 * The behaviours of @std that this library relies on. On JSR the same names lead to the official packages.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { accepts, acceptsEncodings } from "#std/http/negotiation";
import { STATUS_TEXT } from "#std/http/status";
import { contentType } from "#std/media_types/content_type";
import { closestString } from "#std/text/closest_string";
import { levenshteinDistance } from "#std/text/levenshtein_distance";

function request(headers: Record<string, string>): Request {
  return new Request("http://localhost/", { headers });
}

test("accepts() chooses by q, then by the order offered", () => {
  const offer = ["text/html", "application/json"];
  assert.equal(accepts(request({ accept: "*/*" }), ...offer), "text/html");
  assert.equal(accepts(request({}), ...offer), "text/html");
  assert.equal(accepts(request({ accept: "application/json" }), ...offer), "application/json");
  assert.equal(
    accepts(request({ accept: "text/html;q=0.1, application/json" }), ...offer),
    "application/json",
  );
  assert.equal(accepts(request({ accept: "text/*" }), ...offer), "text/html");
  assert.equal(accepts(request({ accept: "image/png" }), ...offer), undefined);
  assert.equal(accepts(request({ accept: "text/html;q=0" }), ...offer), undefined);
});

test("acceptsEncodings() honours q=0 and *", () => {
  const offer = ["br", "gzip", "identity"];
  assert.equal(acceptsEncodings(request({ "accept-encoding": "gzip" }), ...offer), "gzip");
  assert.equal(acceptsEncodings(request({ "accept-encoding": "br;q=0, gzip" }), ...offer), "gzip");
  assert.equal(acceptsEncodings(request({ "accept-encoding": "*" }), ...offer), "br");
  assert.equal(acceptsEncodings(request({ "accept-encoding": "gzip;q=1.0, br;q=0.2" }), ...offer), "gzip");
  assert.equal(acceptsEncodings(request({ "accept-encoding": "brotli" }), ...offer), "identity");
});

test("STATUS_TEXT names the statuses that this server sends", () => {
  assert.equal(STATUS_TEXT[404], "Not Found");
  assert.equal(STATUS_TEXT[431], "Request Header Fields Too Large");
  assert.equal(STATUS_TEXT[599], undefined);
});

test("contentType() knows endings, and gives text a charset", () => {
  const types: Readonly<Record<string, string | undefined>> = {
    ".html": "text/html; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
    ".js": "text/javascript; charset=UTF-8",
    ".mjs": "text/javascript; charset=UTF-8",
    ".json": "application/json; charset=UTF-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".md": "text/markdown; charset=UTF-8",
    ".gz": "application/gzip",
    ".png": "image/png",
    ".nothing-has-this": undefined,
  };
  for (const [ending, type] of Object.entries(types)) assert.equal(contentType(ending), type, ending);
});

test("closestString() ignores case, and the distance counts single changes", () => {
  assert.equal(closestString("cleanURLs", ["cache", "cleanUrls", "compress"]), "cleanUrls");
  assert.equal(levenshteinDistance("lisitng", "listing"), 2);
  assert.equal(levenshteinDistance("timeout", "timeouts"), 1);
});
