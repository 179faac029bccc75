/**
 * Patterns of paths, and the headers that go by them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cacheControl, isFingerprinted } from "../../src/static/cache_control.ts";
import { addVary } from "../../src/header_field.ts";
import { headerRules } from "../../src/static/header_rules.ts";
import { pathPattern } from "../../src/static/path_pattern.ts";

describe("pathPattern()", () => {
  const cases: [string, string[], string[]][] = [
    ["**", ["/", "/a", "/a/b", "/.x"], []],
    ["*", ["/a", "/a/b.txt", "/"], []],
    ["*.html", ["/a.html", "/x/y/a.html"], ["/a.htm", "/a.html/b", "/a.html.br"]],
    ["index.html", ["/index.html", "/sub/index.html"], ["/xindex.html", "/indexxhtml"]],
    ["/*", ["/a", "/"], ["/a/b"]],
    ["/*.html", ["/a.html"], ["/sub/a.html"]],
    ["/assets/**", ["/assets/a", "/assets/a/b", "/assets/", "/assets"], ["/assetsx/a", "/x/assets/a"]],
    ["assets/**", ["/assets/a/b"], ["/x/assets/a"]],
    ["/**/*.js", ["/a.js", "/x/a.js", "/x/y/a.js"], ["/a.jsx"]],
    ["**/*.js", ["/a.js", "/x/a.js"], ["/a.css"]],
    ["/a/*/c", ["/a/b/c"], ["/a/c", "/a/b/b/c"]],
    ["/a(b)[c]+.txt", ["/a(b)[c]+.txt"], ["/abc.txt", "/ab.txt"]],
    ["/é *.txt", ["/é x.txt"], ["/e x.txt"]],
  ];
  for (const [pattern, yes, no] of cases) {
    it(`compiles ${pattern}`, () => {
      const fits = pathPattern(pattern);
      for (const path of yes) assert.equal(fits(path), true, path);
      for (const path of no) assert.equal(fits(path), false, path);
    });
  }
});

describe("headerRules()", () => {
  function apply(
    rules: Parameters<typeof headerRules>[0],
    path: string,
    hasFile = true,
  ): Record<string, string> {
    const headers = new Headers({ "cache-control": "no-cache", vary: "accept-encoding" });
    headerRules(rules)?.(headers, path, hasFile);
    return Object.fromEntries(headers);
  }

  it("lets the first rule that names a header win, and replaces this server's own", () => {
    const rules = [
      { path: "/a/*", headers: { "X-A": "1", "Cache-Control": "no-store" } },
      { path: "**", headers: { "X-A": "2", "X-B": "", "Vary": "Accept-Encoding, Cookie" } },
    ];
    assert.deepEqual(apply(rules, "/a/x"), {
      "cache-control": "no-store",
      "vary": "accept-encoding, Cookie",
      "x-a": "1",
      "x-b": "",
    });
    assert.equal(apply(rules, "/b")["x-a"], "2");
  });

  it("keeps what describes a file's body away from other answers", () => {
    const rules = [{
      path: "**",
      headers: { "Content-Type": "text/x", "Content-Security-Policy": "sandbox" },
    }];
    assert.equal(apply(rules, "/a")["content-type"], "text/x");
    const other = apply(rules, "/a", false);
    assert.equal(other["content-type"], undefined);
    assert.equal(other["content-security-policy"], "sandbox");
  });

  it("is nothing without rules", () => assert.equal(headerRules([]), null));

  it("refuses what cannot be sent, and what this server must set", () => {
    for (
      const [name, value] of [
        ["X-A", "a\r\nX-Evil: 1"],
        ["X-A", "a\n"],
        ["X A", "a"],
        ["", "a"],
        ["X-A", "\u20ac"],
        ["Content-Length", "1"],
        ["ETag", '"x"'],
        ["Transfer-Encoding", "chunked"],
      ] as const
    ) assert.throws(() => headerRules([{ path: "**", headers: { [name]: value } }]), TypeError, name);
  });
});

describe("addVary()", () => {
  it("adds each name once", () => {
    const headers = new Headers();
    addVary(headers, "accept");
    addVary(headers, "Accept");
    addVary(headers, "accept-encoding");
    assert.equal(headers.get("vary"), "accept, accept-encoding");
  });
});

describe("cacheControl()", () => {
  it("takes a value, seconds, or rules", () => {
    assert.equal(cacheControl("no-store")("/a"), "no-store");
    assert.equal(cacheControl(3600)("/a"), "max-age=3600");
    assert.equal(cacheControl(-1)("/a"), "max-age=0");
    assert.equal(cacheControl(NaN)("/a"), "max-age=0");
    assert.equal(cacheControl({})("/a"), "no-cache");
    const rules = cacheControl({ default: 60, immutable: ["/assets/**"] });
    assert.equal(rules("/assets/a.js"), "public, max-age=31536000, immutable");
    assert.equal(rules("/a.js"), "max-age=60");
    const marked = cacheControl({ immutable: true });
    assert.equal(marked("/app.3f9a2c1b.js"), "public, max-age=31536000, immutable");
    assert.equal(marked("/app.js"), "no-cache");
  });

  it("refuses a value that cannot be sent", () => {
    assert.throws(() => cacheControl("a\r\nb"), TypeError);
  });
});

describe("isFingerprinted()", () => {
  it("knows what bundlers write", () => {
    for (
      const name of [
        "app.3f9a2c1b.js",
        "app-BX3kf92a.css",
        "main.8d2f1a3bc4.chunk.js",
        "logo.5d5d9eefa31e5e13a6610d9fa7a283bb.svg",
        "index-4f3cA9b1.js.map",
        "chunk-7YH2K3QX.js",
      ]
    ) assert.equal(isFingerprinted(`/assets/${name}`), true, name);
  });

  it("takes neither words nor dates nor versions for a fingerprint", () => {
    for (
      const name of [
        "app.js",
        "my-component.js",
        "app-MainView.js",
        "jquery-3.7.1.min.js",
        "report-20240102.pdf",
        "report-20240102T030405Z.pdf",
        "photo-IMG20240102.jpg",
        "IMG_20240102_030405.jpg",
        "deadbeef.js",
        "backup-12345678.tar.gz",
        "facade-deadbeef.js",
        "Screenshot-2024Jan02.png",
        "3f9a2c1b",
        "3f9a2c1b.js",
        "covid19data-v2.json",
      ]
    ) assert.equal(isFingerprinted(`/assets/${name}`), false, name);
  });
});
