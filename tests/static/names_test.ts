/**
 * Which paths may be asked for at all.
 *
 * @module
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDotName, isSafeName, isWindowsName } from "../../src/static/names.ts";
import { pathSegments, segmentsBelow, segmentsBeside } from "../../src/static/real_path.ts";
import { parseMount, parseTarget } from "../../src/static/target.ts";

describe("isSafeName()", () => {
  it("refuses what Windows would take for something else", () => {
    for (
      const name of [
        "nul",
        "NUL",
        "con.txt",
        "aux .js",
        "com1",
        "LPT9.log",
        "com\u00b9",
        "conin$",
        "c:",
        "hello.txt::$DATA",
        "hello.txt:$DATA",
        "a:b:c",
        "HELLO~1.TXT",
        "PROGRA~1",
        "a~12.h",
        "hello.txt.",
        "hello.txt ",
        "...",
        ".",
        "..",
        "",
        "a/b",
        "a\\b",
        "a\ud800",
      ]
    ) assert.equal(isSafeName(name), false, JSON.stringify(name));
  });

  it("takes everything else", () => {
    for (
      const name of [
        "hello.txt",
        "a:b.txt",
        "null",
        "console.js",
        "com10",
        "auxiliary",
        "notes~",
        "file.txt.~1~",
        "a~b",
        "averylongname~1.txt",
        "~1",
        " a",
        "..a",
        "é 😀.txt",
        "50%.txt",
        "<img src=x>",
        "-",
        "$DATA",
      ]
    ) assert.equal(isSafeName(name), true, JSON.stringify(name));
  });

  it("leaves a colon to where the root is", () => {
    assert.equal(isWindowsName("a:b.txt"), false);
    assert.equal(isWindowsName("a.txt"), true);
  });
});

describe("isDotName()", () => {
  it("spares .well-known alone", () => {
    for (const name of [".env", ".git", ".well-known-old", ".well-know", ".Well-Known"]) {
      assert.equal(isDotName(name), true, name);
    }
    for (const name of [".well-known", "a.b", "env."]) assert.equal(isDotName(name), false, name);
  });
});

describe("real paths", () => {
  it("are compared by whole segments", () => {
    assert.deepEqual(segmentsBelow("/www", "/www/a/b"), ["a", "b"]);
    assert.deepEqual(segmentsBelow("/www", "/www"), []);
    assert.deepEqual(segmentsBelow("/", "/a"), ["a"]);
    assert.equal(segmentsBelow("/www", "/www-secret/a"), null);
    assert.equal(segmentsBelow("/www/a", "/www"), null);
    assert.deepEqual(segmentsBelow("C:\\www", "C:\\www\\a\\b"), ["a", "b"]);
    assert.equal(segmentsBelow("C:\\www", "D:\\www\\a"), null);
    assert.deepEqual(pathSegments("/a\\b/c"), ["a\\b", "c"]);
  });

  it("beside the root begin where they leave the way to it", () => {
    assert.deepEqual(segmentsBeside("/home/u/.site/public", "/home/u/.site/shared/x"), ["shared", "x"]);
    assert.deepEqual(segmentsBeside("/srv/site", "/home/u/.cache/x"), ["home", "u", ".cache", "x"]);
  });
});

describe("parseTarget()", () => {
  const parse = (url: string, mount = "") => parseTarget({ url }, parseMount(mount));

  it("takes a path apart below the mount", () => {
    assert.deepEqual(parse("http://h/static/a%20b/c?x=1", "/static"), {
      segments: ["a b", "c"],
      isFolder: false,
      hasDoubledSlash: false,
      path: "/a b/c",
      encoded: "/static/a%20b/c",
      search: "?x=1",
    });
    const root = parse("http://h/");
    assert.ok(typeof root === "object");
    assert.deepEqual([root.segments, root.isFolder], [[], true]);
    const mount = parse("http://h/static", "/static/");
    assert.ok(typeof mount === "object");
    assert.deepEqual([mount.segments, mount.isFolder], [[], false]);
    const doubled = parse("http://h//a//");
    assert.ok(typeof doubled === "object");
    assert.equal(doubled.hasDoubledSlash, true);
  });

  it("passes on what is not below the mount", () => {
    for (const path of ["/", "/staticfoo/x", "/Static/x", "//static/x", "/other/%ZZ"]) {
      assert.equal(parse(`http://h${path}`, "/static"), "not-mine", path);
    }
  });

  it("refuses what cannot be decoded", () => {
    assert.equal(parse("http://h/%ZZ"), 400);
    assert.equal(parse("http://h/static/%00", "/static"), 400);
    assert.equal(parse("http://h/%FF"), 404);
  });

  it("takes a URL without a host", () => {
    const target = parse("/a/b");
    assert.ok(typeof target === "object");
    assert.deepEqual(target.segments, ["a", "b"]);
  });

  it("wants a mount to begin with a slash", () => assert.throws(() => parseMount("static"), TypeError));
});
