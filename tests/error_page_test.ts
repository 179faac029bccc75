/**
 * A status as HTML, JSON or plain text.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { STATUS_TEXT, type StatusCode } from "#std/http/status";
import { basicAuth, cgi, errorPage, type RenderError, staticFiles, STATUSES, toFetch } from "../mod.ts";
import { escapeHtml } from "../src/error_page.ts";

function request(accept?: string, method = "GET"): Request {
  return new Request("http://localhost/<script>", { method, ...(accept && { headers: { accept } }) });
}

const TYPES: readonly (readonly [accept: string | undefined, type: string])[] = [
  [undefined, "text/html; charset=utf-8"],
  ["*/*", "text/html; charset=utf-8"],
  ["text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"],
  ["application/json", "application/json"],
  ["application/json, text/html;q=0.9", "application/json"],
  ["text/html, application/json;q=0.1", "text/html; charset=utf-8"],
  ["text/plain", "text/plain; charset=utf-8"],
  ["image/png", "text/html; charset=utf-8"],
];

for (const [accept, type] of TYPES) {
  test(`errorPage() is ${type} for Accept: ${accept}`, async () => {
    const response = errorPage({ status: 404, request: request(accept) });
    assert.equal(response.status, 404);
    assert.equal(response.headers.get("content-type"), type);
    assert.equal(response.headers.get("vary"), "accept");
    const body = new Uint8Array(await response.arrayBuffer());
    assert.equal(response.headers.get("content-length"), String(body.byteLength));
    assert.match(new TextDecoder().decode(body), /Not Found/);
  });
}

test("errorPage() has the parts of Python's: code, message, explain", async () => {
  const json = await errorPage({ status: 503, explain: "Later.", request: request("application/json") })
    .json();
  assert.deepEqual(json, { error: { code: 503, message: "Service Unavailable", explain: "Later." } });
});

test("errorPage() escapes what it was given, and nothing of the request is in it", async () => {
  const html = await errorPage({ status: 404, explain: "<b>&\"'", request: request() }).text();
  assert.ok(html.includes("&lt;b&gt;&amp;&quot;&#39;"));
  assert.ok(!html.includes("<script>"));
});

test("errorPage() answers HEAD with the headers of GET and no body", async () => {
  const get = errorPage({ status: 404, request: request() });
  const head = errorPage({ status: 404, request: request(undefined, "HEAD") });
  assert.deepEqual([...head.headers], [...get.headers]);
  assert.equal(head.body, null);
  assert.notEqual(await get.text(), "");
});

test("errorPage() keeps the headers that the status requires", () => {
  const response = errorPage({ status: 405, headers: { allow: "GET, HEAD" }, request: request() });
  assert.equal(response.headers.get("allow"), "GET, HEAD");
});

test("errorPage() can be neither cached, sniffed nor scripted", () => {
  const { headers } = errorPage({ status: 500, request: request() });
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none'/);
});

test("every registered status has its phrase, as @std has it, and a sentence", () => {
  assert.deepEqual(Object.keys(STATUSES), Object.keys(STATUS_TEXT));
  for (const [code, { message, explain }] of Object.entries(STATUSES)) {
    assert.equal(message, STATUS_TEXT[Number(code) as StatusCode], code);
    assert.match(explain, /^[A-Z].*[.?]$/, code);
  }
});

test("errorPage() has a message of one's own", async () => {
  const page = { status: 404, message: "<Gone>", explain: "&", request: request("text/plain") };
  assert.equal(await errorPage(page).text(), "404 <Gone>\n&\n");
  const html = await errorPage({ ...page, request: request() }).text();
  assert.ok(html.includes("<title>404 &lt;Gone&gt;</title>"));
});

test("errorPage() has no body for statuses that have none", () => {
  for (const status of [204, 205, 304]) {
    const { body, headers } = errorPage({ status, request: request() });
    assert.equal(body, null);
    assert.equal(headers.get("content-length"), null);
    assert.equal(headers.get("content-type"), null);
  }
  assert.throws(() => errorPage({ status: 100, request: request() }), RangeError);
});

test("renderError is told what the status means, wherever it is given", async () => {
  const pages: string[] = [];
  const renderError: RenderError = ({ status, message, explain, request: { method } }) => {
    pages.push(`${method} ${status} ${message}: ${explain}`);
    return Response.redirect("http://localhost/sorry");
  };
  const log = () => {};
  const ask = (method: string) => new Request("http://localhost/none", { method });
  const files = staticFiles({ root: "examples/site", renderError, log });
  const refused = await files(ask("DELETE"));
  // Its headers cannot be changed, and the one that the status requires is there nevertheless.
  assert.deepEqual([refused?.status, refused?.headers.get("allow")], [302, "GET, HEAD, OPTIONS"]);
  await files(ask("GET"));
  await cgi({ root: "examples/site/cgi-bin", renderError, log })(ask("GET"));
  await toFetch(() => undefined, { renderError, log })(ask("GET"));
  await basicAuth({ users: { ada: "1815" }, renderError }, () => undefined)(ask("GET"));
  assert.deepEqual(pages, [
    "DELETE 405 Method Not Allowed: This cannot be asked for with this method.",
    "GET 404 Not Found: Nothing is here.",
    "GET 404 Not Found: Nothing is here.",
    "GET 404 Not Found: Nothing is here.",
    "GET 401 Unauthorized: A user name and a password are needed here.",
  ]);
});

test("a page of renderError that names no status has the error's", async () => {
  const ask = async (page: () => Response, method = "GET") => {
    const handler = staticFiles({ root: "examples/site", renderError: page, log() {} });
    return await handler(new Request("http://localhost/none", { method })) as Response;
  };
  const plain = await ask(() => new Response("Sorry", { headers: { "x-page": "own" } }));
  assert.deepEqual([plain.status, plain.headers.get("x-page"), await plain.text()], [404, "own", "Sorry"]);
  const refused = await ask(() => Response.json({ sorry: true }), "DELETE");
  assert.deepEqual([refused.status, refused.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  assert.equal((await ask(() => new Response("Gone", { status: 410 }))).status, 410);
});

test("errorPage() of an unknown status", async () => {
  const response = errorPage({ status: 599, request: request("text/plain") });
  assert.equal(await response.text(), "599 Error\n\n");
});

test("escapeHtml() makes text safe in elements and attributes", () => {
  assert.equal(
    escapeHtml(`<a href="x" title='y'>&amp;</a>`),
    "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;",
  );
});
