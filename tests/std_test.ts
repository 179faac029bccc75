/**
 * The behaviours of @std that this library relies on. On JSR the same names lead to the official packages.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { accepts, acceptsEncodings } from "#std/http/negotiation";
import { STATUS_TEXT } from "#std/http/status";

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
