/**
 * An ordered table of patterns and handlers.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection, Handler } from "../src/handler.ts";
import { type Route, route } from "../src/router.ts";

/** A handler that answers with its name and the mount that it was given. */
function named(name: string): Handler {
  return (_request, connection) => new Response(`${name} ${connection?.mount ?? "-"}`);
}

const pass: Handler = () => undefined;

async function ask(handler: Handler, path: string, connection?: Connection): Promise<string | null> {
  const response = await handler(new Request(`http://localhost${path}`), connection);
  return response === undefined ? null : await response.text();
}

const MATCHES: readonly (readonly [pattern: string, path: string, answer: string | null])[] = [
  ["/", "/", "x -"],
  ["/", "/a", null],
  ["/a", "/a", "x -"],
  ["/a", "/a/", null],
  ["/a", "/a/b", null],
  ["/a", "/ab", null],
  ["/a", "//a", null],
  ["/a", "/A", null],
  ["/a", "/%61", "x -"],
  ["/a b", "/a%20b", "x -"],
  ["/a", "/b/../a?q", "x -"],
  ["/a/b", "/a%2Fb", null],
  ["/a/*", "/a", "x /a"],
  ["/a/*", "/a/", "x /a"],
  ["/a/*", "/a/b/c", "x /a"],
  ["/a/*", "/ab", null],
  ["/a/*", "/a%2Fb", null],
  ["/a/*", "//a/b", null],
  ["/a/*", "/a//b", "x /a"],
  ["/a/*", "/a/../b", null],
  ["/a/*", "/b/%2e%2e/a/c", "x /a"],
  ["/a/b/*", "/a/b/c", "x /a/b"],
  ["/a/b/*", "/a/bc", null],
  ["/*", "/", "x -"],
  ["/*", "/a/b", "x -"],
  // What cannot be decoded is for the last handler to refuse; it can be in no folder.
  ["/*", "/%zz", "x -"],
  ["/a/*", "/a/%zz", null],
  ["/a/*", "/a/%00", null],
];

for (const [pattern, path, answer] of MATCHES) {
  test(`route() with "${pattern}" ${answer === null ? "passes on" : "answers"} ${path}`, async () => {
    assert.equal(await ask(route([[pattern, named("x")]]), path), answer);
  });
}

test("route() asks in order, until a handler does not pass on", async () => {
  const handler = route([["/a/*", pass], ["/a/b", named("first")], ["/*", named("last")]]);
  assert.equal(await ask(handler, "/a/b"), "first -");
  assert.equal(await ask(handler, "/a/c"), "last -");
});

test("route() within route() joins the mounts", async () => {
  const inner = route([["/b/*", named("inner")], ["/c", named("exact")]]);
  const handler = route([["/a/*", inner]]);
  assert.equal(await ask(handler, "/a/b/x"), "inner /a/b");
  assert.equal(await ask(handler, "/a/c"), "exact /a");
  assert.equal(await ask(handler, "/b/x"), null);
});

test("route() leaves the rest of the connection alone", async () => {
  let seen: Connection | undefined;
  const handler = route([["/a/*", (_request, connection) => {
    seen = connection;
    return new Response();
  }]]);
  await ask(handler, "/a/b", { requestId: "1", secure: true });
  assert.deepEqual(seen, { requestId: "1", secure: true, mount: "/a" });
});

test("route() asks anything with a test() method", async () => {
  const ending = { test: (url: string) => new URL(url).pathname.endsWith(".php") };
  const handler = route([[ending, named("php")]]);
  assert.equal(await ask(handler, "/x/y.php?a"), "php -");
  assert.equal(await ask(handler, "/x/y.html"), null);
});

test("route() takes any iterable, and reads it once", async () => {
  function* routes(): Generator<Route> {
    yield ["/a", named("a")];
  }
  const handler = route(routes());
  assert.equal(await ask(handler, "/a"), "a -");
  assert.equal(await ask(handler, "/a"), "a -");
});

for (const pattern of ["", "a", "*", "/a*", "/*/b", "/a/*/b", "/a**", "/a/**"]) {
  test(`route() refuses the pattern "${pattern}"`, () => {
    assert.throws(
      () => route([[pattern, pass]]),
      new RegExp(`Cannot use the pattern "${pattern.replaceAll("*", "\\*")}"`),
    );
  });
}
