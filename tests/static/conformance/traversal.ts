/**
 * Section 5.5: paths that try to leave the root, and redirects that could.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { ask, expectError, expectStatus } from "../_ask.ts";

/** Traversal and redirect safety. */
export const traversal: ConformanceSection = {
  title: "Traversal and redirect safety",
  cases: [
    test(
      38,
      "T",
      "GET /../outside/secret.txt",
      "404, the secret nowhere",
      () => expectNothing("/../outside/secret.txt"),
    ),
    test(
      39,
      "T",
      "GET /sub/../../outside/secret.txt, /.well-known/../../outside/secret.txt",
      "404",
      () =>
        expectNothing(
          "/sub/../../outside/secret.txt",
          "/.well-known/../../outside/secret.txt",
        ),
    ),
    test(
      40,
      "T",
      "GET /%2e%2e/outside/secret.txt, /%2e%2e%2foutside%2fsecret.txt",
      "404",
      () =>
        expectNothing(
          "/%2e%2e/outside/secret.txt",
          "/%2e%2e%2foutside%2fsecret.txt",
          "/.%2e/outside/secret.txt",
        ),
    ),
    test(
      41,
      "T",
      "GET /%252e%252e/outside/secret.txt",
      "404",
      () => expectNothing("/%252e%252e/outside/secret.txt"),
    ),
    test(
      42,
      "T",
      "GET /../site-secret/secret.txt, /..%2fsite-secret%2fsecret.txt",
      "404: a folder whose name begins like the root's",
      () =>
        expectNothing(
          "/../site-secret/secret.txt",
          "/..%2fsite-secret%2fsecret.txt",
          "/../site-secret/",
        ),
    ),
    test(
      43,
      "T",
      "GET /sub/../index.html",
      "200, the root's index",
      async () => {
        const response = await ask({}, "GET /sub/../index.html");
        expectStatus(response, 200);
        assert.match(response.text, /ROOT/);
      },
    ),
    test(
      44,
      "T",
      "GET //evil.test/%2e%2e/sub, ///evil.test/..%2f..%2fsub",
      "if 3xx, Location begins with one slash and names no other host",
      noOpenRedirect,
    ),
  ],
};

async function expectNothing(...paths: string[]): Promise<void> {
  for (const path of paths) {
    expectError(await ask({ listing: true }, `GET ${path}`), 404);
    expectError(await ask({ followSymlinks: true }, `GET ${path}`), 404);
  }
}

async function noOpenRedirect(): Promise<void> {
  const paths = [
    "//evil.test/%2e%2e/sub",
    "///evil.test/..%2f..%2fsub",
    "//evil.test/../sub",
    "//evil.test//..//sub",
    "/\\evil.test/../sub",
    "/%5cevil.test/%2e%2e/sub",
    "//sub",
    "//%09/sub",
  ];
  for (const path of paths) {
    const response = await ask({}, `GET ${path}`);
    assert.ok(response.status < 500, response.head);
    const location = response.header("location");
    if (location === null) continue;
    assert.match(location, /^\/(?![/\\])/, `Location for ${path}`);
    const url = new URL(location, "http://localhost/");
    assert.equal(url.host, "localhost");
  }
}
