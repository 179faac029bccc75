/**
 * Section 5.3: methods.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Handler } from "../../../src/handler.ts";
import { staticFiles } from "../../../src/static/mod.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { connect, exchange, get, requestHead } from "../../_http.ts";
import { ask, expectError, expectHeaders, expectStatus, type Served, serverOf } from "../_ask.ts";
import { withSite } from "../_site_command.ts";
import { siteFixture } from "../_site_fixture.ts";

/** What `Allow` must be. */
const ALLOW = /^GET, HEAD, OPTIONS$/i;

/** Methods. */
export const methods: ConformanceSection = {
  title: "Methods",
  cases: [
    test(
      15,
      "M",
      "POST /hello.txt with a body",
      "405, Allow: GET, HEAD, OPTIONS, and the next request on the connection is answered or Connection: close says why not; 501 where POST is for CGI scripts",
      postToFile,
    ),
    test(
      16,
      "C",
      "DELETE /nope.txt",
      "405: the method is judged before the path",
      async () => {
        const response = await ask({}, "DELETE /nope.txt");
        expectError(response, 405);
        expectHeaders(response, { "allow": ALLOW });
      },
    ),
    test(
      17,
      "S",
      "BREW /hello.txt (unknown token)",
      "501 by the runtime's parser, before there is a request: no Allow, no page",
      async () => {
        const response = await ask({}, "BREW /hello.txt");
        expectError(response, 501);
        expectHeaders(response, { "connection": "close", "allow": null });
      },
    ),
    test(
      18,
      "C",
      "OPTIONS /hello.txt",
      "204, Allow: GET, HEAD, OPTIONS, no body",
      async () => {
        const response = await ask({}, "OPTIONS /hello.txt");
        expectStatus(response, 204);
        expectHeaders(response, { "allow": ALLOW, "content-type": null });
      },
    ),
    test(
      19,
      "T",
      "CORS on: a preflight for a range request",
      "204, Access-Control-Allow-Origin, -Methods with GET, -Headers with range",
      preflight,
    ),
    test(
      20,
      "C",
      "CORS on: 200, 404, 206, 304, 405",
      "Access-Control-Allow-Origin on every one; Content-Range, ETag and Content-Length exposed",
      corsEverywhere,
    ),
    test(
      21,
      "T",
      "as middleware, POST /hello.txt",
      "nothing is answered, the next handler runs",
      async () => {
        const response = await ask(middleware, "POST /hello.txt");
        expectStatus(response, 200);
        assert.equal(response.text, "next handler");
      },
    ),
  ],
};

async function postToFile(): Promise<void> {
  await postOnce({}, 405);
  await postOnce({ postIsForCgi: true }, 501);
}

async function postOnce(served: Served, status: number): Promise<void> {
  const connection = await connect((await serverOf(served)).address);
  try {
    await connection.send(
      "POST /hello.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nname=val",
    );
    const first = await connection.response({ method: "POST" });
    expectError(first, status);
    expectHeaders(first, { "allow": ALLOW });
    if (/close/i.test(first.header("connection") ?? "")) return;
    await connection.send("GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await connection.response()).text, "0123456789");
  } finally {
    connection.close();
  }
}

let files: Handler | undefined;

/** `staticFiles()` in front of another handler. */
export const middleware: Handler = async (request, connection) => {
  const handler = files ??
    staticFiles({ root: siteFixture().site, fallthrough: true });
  files = handler;
  return await handler(request, connection) ?? new Response("next handler");
};

const ORIGIN = "Origin: https://app.test";

async function preflight(): Promise<void> {
  await withSite(async ({ address }) => {
    const response = await exchange(
      address,
      requestHead(
        "OPTIONS",
        "/hello.txt",
        ORIGIN,
        "Access-Control-Request-Method: GET",
        "Access-Control-Request-Headers: range",
      ),
    );
    expectStatus(response, 204);
    expectHeaders(response, {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": /\bGET\b/,
      "access-control-allow-headers": /\brange\b/,
      "content-length": null,
    });
  }, { flags: ["--cors"] });
}

async function corsEverywhere(): Promise<void> {
  await withSite(async ({ address }) => {
    const whole = await exchange(address, get("/hello.txt", ORIGIN));
    const answers: [number, string, string, ...string[]][] = [
      [200, "GET", "/hello.txt"],
      [404, "GET", "/nope"],
      [206, "GET", "/hello.txt", "Range: bytes=2-3"],
      [304, "GET", "/hello.txt", `If-None-Match: ${whole.header("etag")}`],
      [405, "DELETE", "/hello.txt"],
      [301, "GET", "/sub"],
    ];
    for (const [status, method, path, ...headers] of answers) {
      const response = await exchange(address, requestHead(method, path, ORIGIN, ...headers));
      expectStatus(response, status);
      expectHeaders(response, { "access-control-allow-origin": "*" });
      const exposed = response.header("access-control-expose-headers") ?? "";
      for (const name of ["Content-Range", "ETag", "Content-Length"]) {
        assert.ok(exposed.split(", ").includes(name), `${name} in ${exposed}`);
      }
    }
  }, { flags: ["--cors"] });
}
