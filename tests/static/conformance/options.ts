/**
 * Section 5.12, first half: options, and what an error tells.
 *
 * @module
 */

import assert from "node:assert/strict";
import { staticFiles } from "../../../src/static/mod.ts";
import type { StaticOptions } from "../../../src/static/options.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { runCommand } from "../../_command.ts";
import { exchange, get, type RawResponse, requestHead } from "../../_http.ts";
import { fetchPath, withSite } from "../_site_command.ts";
import { ask, expectError, expectHeaders, expectStatus } from "../_ask.ts";
import { siteFixture, writeTree } from "../_site_fixture.ts";

const EXTRA = {
  headers: [{
    path: "/**",
    headers: { "X-A": "b:c", "Cache-Control": "no-store" },
  }],
  precompressed: true,
} satisfies Partial<StaticOptions>;

/** Options and errors. */
export const options: ConformanceSection = {
  title: "Options and errors",
  cases: [
    test(
      159,
      "C",
      "headers X-A: b:c and Cache-Control: no-store",
      "X-A and exactly one Cache-Control, no-store, on 200, 206, 304, 301 and 404",
      extraHeaders,
    ),
    test(
      160,
      "T",
      "a header with CR or LF, or an impossible name",
      "refused before anything is served",
      async () => {
        for (
          const headers of [
            { "X-A": "b\r\nSet-Cookie: c" },
            { "X-A": "b\nc" },
            { "X-A\r\nX-B": "c" },
            { "no colon": "b" },
            { "": "b" },
          ] as Record<string, string>[]
        ) {
          assert.throws(
            () => staticFiles({ root: ".", headers: [{ path: "/**", headers }] }),
            TypeError,
            JSON.stringify(headers),
          );
          const [name, value] = Object.entries(headers)[0]!;
          const refused = await runCommand(["0", "-H", name, value]);
          assert.deepEqual([refused.code, refused.stdout], [2, ""], JSON.stringify(headers));
          assert.match(refused.stderr, /^htbin: --header[: ][^\r\n]*\n$/);
        }
        assert.throws(
          () => staticFiles({ root: ".", cache: "no-cache\r\nX-Evil: 1" }),
          TypeError,
        );
      },
    ),
    test(
      161,
      "T",
      "a header with an empty value",
      "it is sent, empty",
      async () => {
        const headers = [{ path: "/**", headers: { "X-Empty": "" } }];
        const response = await ask({ headers }, "GET /hello.txt");
        expectStatus(response, 200);
        expectHeaders(response, { "x-empty": "" });
        await withSite(async ({ address }) => {
          expectHeaders(await fetchPath(address, "/hello.txt"), { "x-empty": "" });
        }, { flags: ["-H", "X-Empty", ""] });
      },
    ),
    test(
      162,
      "T",
      "cache max-age=3600, immutable; 3600; -1; NaN; names with a fingerprint",
      "as given; max-age=3600; max-age=0; max-age=0; a year and immutable for fingerprinted names alone",
      cacheRules,
    ),
    test(
      163,
      "C",
      "Cache-Control by default",
      "no-cache",
      async () => {
        for (const path of ["/hello.txt", "/", "/app.js"]) {
          const response = await ask({}, `GET ${path}`);
          expectHeaders(response, { "cache-control": "no-cache" });
        }
      },
    ),
    test(
      164,
      "T",
      "basic authentication: none, wrong, right, a password of digits",
      "401 with WWW-Authenticate; 401; 200; 200; 401 for missing files too",
      passwords,
    ),
    test(
      165,
      "T",
      "GET /<script>alert(1)</script>",
      "the error page has no markup of the request's",
      async () => {
        const paths = [
          "/%3Cscript%3Ealert(1)%3C/script%3E",
          "/<script>alert(1)</script>",
        ];
        for (const path of paths) {
          const response = await ask({}, `GET ${path}`);
          expectError(response, response.status === 400 ? 400 : 404);
          assert.doesNotMatch(response.text, /<script>/);
        }
      },
    ),
    test(
      166,
      "C",
      "GET /nope, Accept: application/json",
      '404, JSON: {"error": {"code", "message"}}',
      async () => {
        const accept = "Accept: application/json";
        const response = await ask({}, "GET /nope", accept);
        expectError(response, 404);
        expectHeaders(response, { "content-type": /^application\/json\b/ });
        const { error } = JSON.parse(response.text);
        assert.equal(error.code, 404);
        assert.equal(error.message, "Not Found");
      },
    ),
  ],
};

async function extraHeaders(): Promise<void> {
  const tag = (await ask({}, "GET /hello.txt")).header("etag");
  const answers: [number, string, ...string[]][] = [
    [200, "GET /hello.txt"],
    [200, "HEAD /hello.txt"],
    [206, "GET /hello.txt", "Range: bytes=0-1"],
    [304, "GET /hello.txt", `If-None-Match: ${tag}`],
    [301, "GET /sub"],
    [404, "GET /nope"],
    [416, "GET /hello.txt", "Range: bytes=99-"],
    [200, "GET /app.js", "Accept-Encoding: br"],
  ];
  function check(response: RawResponse, status: number): void {
    expectStatus(response, status);
    expectHeaders(response, { "x-a": "b:c", "cache-control": "no-store" });
    const lines = response.headers.filter(([name]) => /^cache-control$/i.test(name));
    assert.equal(lines.length, 1);
  }
  for (const [status, request, ...headers] of answers) {
    check(await ask(EXTRA, request, ...headers), status);
  }
  const flags = ["--precompressed", "-H", "X-A", "b:c", "--header", "Cache-Control: no-store"];
  await withSite(async ({ address }) => {
    for (const [status, request, ...headers] of answers) {
      const [method = "", path = ""] = request.split(" ");
      check(await exchange(address, requestHead(method, path, ...headers)), status);
    }
  }, { flags });
}

async function passwords(): Promise<void> {
  await withSite(async ({ address }) => {
    const asked = async (path: string, credentials?: string) => {
      const field = credentials === undefined ? [] : [`Authorization: Basic ${btoa(credentials)}`];
      return await exchange(address, get(path, ...field));
    };
    for (const credentials of [undefined, "ada:wrong", "eve:1815", "ada:"]) {
      for (const path of ["/hello.txt", "/nope"]) {
        const refused = await asked(path, credentials);
        expectError(refused, 401);
        expectHeaders(refused, { "www-authenticate": /^Basic realm="[^"]+", charset="UTF-8"$/ });
      }
    }
    expectStatus(await asked("/hello.txt", "ada:1815"), 200);
    expectStatus(await asked("/hello.txt", "bob:a secret: with a colon"), 200);
    expectStatus(await asked("/nope", "ada:1815"), 404);
  }, { flags: ["--auth", "ada:1815", "--auth", "bob:a secret: with a colon"] });
}

async function cacheRules(): Promise<void> {
  const { site } = siteFixture();
  const get = "GET /hello.txt";
  const fixed = { cache: "max-age=3600, immutable" };
  const response = await ask(fixed, get);
  expectHeaders(response, { "cache-control": "max-age=3600, immutable" });
  for (const [cache, seconds] of [[3600, 3600], [-1, 0], [NaN, 0]]) {
    const response = await ask(staticFiles({ root: site, cache: cache! }), get);
    expectHeaders(response, { "cache-control": `max-age=${seconds}` });
  }
  const root = siteFixture().scratch();
  const immutable = ["app.3f9a2c1b.js", "app-BX3kf92a.css"];
  const others = ["app.js", "index.html", "jquery-3.7.1.min.js"];
  writeTree(
    root,
    Object.fromEntries([...immutable, ...others].map((name) => [name, name])),
  );
  const rules = { root, cache: { immutable: true } } as const;
  for (const name of immutable) {
    expectHeaders(await ask(rules, `GET /${name}`), {
      "cache-control": "public, max-age=31536000, immutable",
    });
  }
  for (const name of others) {
    expectHeaders(await ask(rules, `GET /${name}`), {
      "cache-control": "no-cache",
    });
  }
}
