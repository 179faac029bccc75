/**
 * From a URL to the one path that every decision uses.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isNameable, isRefusal, requestPath, requestUrl } from "../src/request_path.ts";

function pathOf(url: string): ReturnType<typeof requestPath> {
  return requestPath(requestUrl({ url }));
}

const PATHS: readonly (readonly [url: string, segments: readonly string[]])[] = [
  ["http://h/", [""]],
  ["http://h", [""]],
  ["http://h/a", ["a"]],
  ["http://h/a/", ["a", ""]],
  ["http://h/a/b", ["a", "b"]],
  // Dot segments, in every spelling, before anything else looks at the path.
  ["http://h/a/./b", ["a", "b"]],
  ["http://h/a/../b", ["b"]],
  ["http://h/../../b", ["b"]],
  ["http://h/a/%2e%2e/b", ["b"]],
  ["http://h/a/.%2E/b", ["b"]],
  ["http://h/a/%2e/b", ["a", "b"]],
  ["http://h/a\\..\\b", ["b"]],
  ["http://h/a/..", [""]],
  ["http://h/a/...", ["a", "..."]],
  // After a name with a dot, too: the parser of Node 20 stops looking there.
  ["http://h/.x/../../b", ["b"]],
  ["http://h/a/.x/../../b", ["b"]],
  ["http://h/a/.x/./b/..", ["a", ".x", ""]],
  ["http://h/a/.../../b", ["a", "b"]],
  ["http://h/.x//../b?q=/../", [".x", "b"]],
  // Doubled slashes stay, for the handlers to refuse or keep.
  ["http://h//a", ["", "a"]],
  ["http://h/a//b", ["a", "", "b"]],
  ["http://h/a/..//b", ["", "b"]],
  ["http://h//../b", ["b"]],
  // Decoded once, and only once.
  ["http://h/%41", ["A"]],
  ["http://h/a%20b", ["a b"]],
  ["http://h/a%2Fb", ["a/b"]],
  ["http://h/a%5Cb", ["a\\b"]],
  ["http://h/%252e%252e", ["%2e%2e"]],
  ["http://h/%25252e", ["%252e"]],
  ["http://h/%25", ["%"]],
  ["http://h/%3F%23", ["?#"]],
  ["http://h/caf%C3%A9", ["café"]],
  ["http://h/café", ["café"]],
  ["http://h/%0a%0d", ["\n\r"]],
  ["http://h/a#b", ["a"]],
  // As the runtimes hand over requests without a host.
  ["/x", ["x"]],
  ["/x/../y", ["y"]],
  ["//evil.test/x", ["", "evil.test", "x"]],
  // A Host header that is no host.
  ["http://a b/x/../y?z", ["y"]],
  ["http://[/x", ["x"]],
  ["http://h:port/x", ["x"]],
  ["http:///", [""]],
  ["*", [""]],
];

for (const [url, segments] of PATHS) {
  test(`requestPath() of ${JSON.stringify(url)}`, () => {
    const path = pathOf(url);
    assert.ok(!isRefusal(path));
    assert.deepEqual(path.segments, segments);
  });
}

const REFUSALS: readonly (readonly [url: string, status: 400 | 404])[] = [
  ["http://h/%", 400],
  ["http://h/%4", 400],
  ["http://h/%zz", 400],
  ["http://h/a/%%32%65%%32%65/b", 400],
  ["http://h/%00", 400],
  ["http://h/a%00.html", 400],
  ["http://h/a/b/%00/c", 400],
  // Overlong and truncated UTF-8.
  ["http://h/%c0%ae%c0%ae/x", 404],
  ["http://h/%FF", 404],
  ["http://h/%C3", 404],
  ["http://h/%ED%A0%80", 404],
];

for (const [url, status] of REFUSALS) {
  test(`requestPath() refuses ${url} with ${status}`, () => {
    const path = pathOf(url);
    assert.ok(isRefusal(path));
    assert.equal(path.refused, status);
  });
}

test("requestPath() keeps the encoded path and the query as they came", () => {
  const path = pathOf("http://h/a/../b%2Fc%20d//e?x=%00&y=?//..//");
  assert.ok(!isRefusal(path));
  assert.equal(path.encoded, "/b%2Fc%20d//e");
  assert.equal(path.query, "x=%00&y=?//..//");
});

test("isNameable() refuses separators, which another router may not have seen", () => {
  assert.equal(isNameable("a.b"), true);
  assert.equal(isNameable(".."), true);
  assert.equal(isNameable("a/b"), false);
  assert.equal(isNameable("a\\b"), false);
});
