/**
 * The static handler as a whole, over a file system in memory: options, fallbacks, failures, descriptors.
 *
 * @module
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FileError } from "../../src/runtime.ts";
import { staticFiles } from "../../src/static/mod.ts";
import { memoryFileSystem } from "../_memory_file_system.ts";
import { siteOf } from "./_handler.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

describe("staticFiles() as middleware", () => {
  const site = siteOf({ "/site/hello.txt": "hello", "/site/sub/index.html": "SUB", "/site/plain/x": "x" }, {
    fallthrough: true,
  });

  it("passes on what it would answer 404, 405 or 501", async () => {
    assert.equal(await site.status("/nope"), undefined);
    assert.equal(await site.status("/hello.txt", {}, "POST"), undefined);
    assert.equal(await site.status("/hello.txt", {}, "OPTIONS"), undefined);
    assert.equal(await site.status("/x", {}, "BREW"), undefined);
    assert.equal(await site.status("//hello.txt"), undefined);
    assert.equal(await site.status("/sub%2Findex.html"), undefined);
    assert.equal(await site.status("/.env"), undefined);
  });

  it("does not redirect to a folder that shows nothing", async () => {
    assert.equal(await site.status("/sub"), 301);
    assert.equal(await site.status("/plain"), undefined);
  });

  it("answers everything else", async () => {
    assert.equal(await site.status("/hello.txt"), 200);
    assert.equal(await site.status("/hello.txt", { range: "bytes=99-" }), 416);
  });
});

describe("staticFiles() below a mount", () => {
  const tree = { "/site/sub/index.html": "SUB", "/site/a.txt": "a" };

  it("goes by the router's mount, else by its own", async () => {
    const site = siteOf(tree, { mount: "/static" });
    assert.equal(await (await site.get("/static/a.txt")).text(), "a");
    assert.equal((await site.get("/static/sub?x=1")).headers.get("location"), "/static/sub/?x=1");
    assert.equal(await site.status("/staticfoo/a.txt"), undefined);
    const routed = await site.handler(new Request("http://h/other/a.txt"), { mount: "/other" });
    assert.equal(await routed?.text(), "a");
  });

  it("redirects the mount itself to its slash", async () => {
    const site = siteOf(tree, { mount: "/static", listing: true });
    assert.equal((await site.get("/static")).headers.get("location"), "/static/");
  });
});

describe("staticFiles() for a single-page application", () => {
  const site = siteOf({ "/site/index.html": "APP", "/site/a.js": "js", "/site/.git/x": "x" }, { spa: true });

  it("answers navigations to nowhere with the page", async () => {
    const response = await site.get("/deep/route", HTML);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "APP");
    assert.match(response.headers.get("vary") ?? "", /accept/);
    assert.equal(await site.status("/deep/route/", HTML), 200);
    const tag = response.headers.get("etag") as string;
    assert.equal(await site.status("/deep/route", { ...HTML, "if-none-match": tag }), 304);
  });

  it("answers nothing else with it", async () => {
    assert.equal(await site.status("/assets/nope.js", HTML), 404);
    assert.equal(await site.status("/deep/route", { accept: "application/json" }), 404);
    assert.equal(await site.status("/deep/route", { accept: "*/*" }), 404);
    assert.equal(await site.status("/deep/route", { accept: "text/html;q=0, */*" }), 404);
    assert.equal(await site.status("/deep/route"), 404);
    assert.equal(await site.status("/deep/route", HTML, "POST"), 405);
    assert.equal(await site.status("/.git/config", HTML), 404);
    assert.equal(await site.status("/a%2Fb", HTML), 404);
  });
});

describe("staticFiles() with clean URLs", () => {
  const site = siteOf({
    "/site/index.html": "ROOT",
    "/site/page.html": "PAGE",
    "/site/sub.html": "SUB PAGE",
    "/site/sub/index.html": "SUB",
    "/site/docs.html": "DOCS",
    "/site/docs/deep.html": "DEEP",
    "/site/c#d.html": "HASH",
    "/site/both": "PLAIN",
    "/site/both.html": "BOTH",
  }, { cleanUrls: true });

  it("serves a page without its ending, and redirects from it", async () => {
    assert.equal(await (await site.get("/page")).text(), "PAGE");
    assert.equal((await site.get("/page.html?x=1")).headers.get("location"), "/page?x=1");
    assert.equal((await site.get("/c%23d.html")).headers.get("location"), "/c%23d");
    assert.equal(await (await site.get("/c%23d")).text(), "HASH");
    assert.equal((await site.get("/sub/index.html")).headers.get("location"), "/sub/");
    assert.equal((await site.get("/index.html")).headers.get("location"), "/");
    assert.equal(await site.status("/page/"), 404);
  });

  it("shadows neither a folder nor a file", async () => {
    assert.equal((await site.get("/sub")).headers.get("location"), "/sub/");
    assert.equal(await (await site.get("/sub.html")).text(), "SUB PAGE");
    assert.equal(await (await site.get("/both")).text(), "PLAIN");
    assert.equal(await (await site.get("/both.html")).text(), "BOTH");
  });

  it("goes before a folder that shows nothing", async () => {
    assert.equal(await (await site.get("/docs")).text(), "DOCS");
    assert.equal(await (await site.get("/docs/deep")).text(), "DEEP");
    assert.equal(site.files.openCount(), 0);
  });
});

describe("staticFiles() with a page for 404", () => {
  const site = siteOf({ "/site/404.html": "LOST", "/site/a.txt": "a" }, {
    notFoundPage: "404.html",
    headers: [{ path: "**", headers: { "X-A": "b" } }],
  });

  it("sends it whole, whatever conditions and ranges say", async () => {
    const conditional: Record<string, string>[] = [{}, { "if-none-match": "*" }, { range: "bytes=0-0" }];
    for (const headers of conditional) {
      const response = await site.get("/nope", headers);
      assert.equal(response.status, 404);
      assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
      assert.equal(response.headers.get("etag"), null);
      assert.equal(response.headers.get("x-a"), "b");
      assert.equal(await response.text(), "LOST");
    }
    const head = await site.get("/nope", {}, "HEAD");
    assert.equal(head.headers.get("content-length"), "4");
    assert.equal(site.files.openCount(), 0);
  });

  it("sends the built-in answer to a client that wants no HTML", async () => {
    const response = await site.get("/nope", { accept: "application/json" });
    assert.equal((await response.json() as { error: { code: number } }).error.code, 404);
  });

  it("sends the built-in answer when the page is missing", async () => {
    const other = siteOf({ "/site/a.txt": "a" }, { notFoundPage: "404.html" });
    assert.equal(await other.status("/nope"), 404);
  });
});

describe("staticFiles() with dotfiles", () => {
  const tree = {
    "/site/.env": "E",
    "/site/.well-known/security.txt": "W",
    "/site/.well-known/.env": "E",
    "/site/sub/.hid/a.txt": "a",
  };

  it("hides them with 404, denies them with 403, or serves them", async () => {
    const paths = ["/.env", "/.nothing", "/%2Eenv", "/.well-known/.env", "/sub/.hid/a.txt"];
    const statuses = (site: ReturnType<typeof siteOf>) => Promise.all(paths.map((path) => site.status(path)));
    assert.deepEqual(await statuses(siteOf(tree)), [404, 404, 404, 404, 404]);
    assert.deepEqual(await statuses(siteOf(tree, { dotfiles: "deny" })), [403, 403, 403, 403, 403]);
    assert.deepEqual(await statuses(siteOf(tree, { dotfiles: true })), [200, 404, 200, 200, 200]);
    assert.equal(await siteOf(tree).status("/.well-known/security.txt"), 200);
  });
});

describe("staticFiles() with compression", () => {
  const text = "All work and no play makes Jack a dull boy. ".repeat(100);
  const gunzip = async (response: Response) =>
    await new Response((response.body as ReadableStream).pipeThrough(new DecompressionStream("gzip"))).text();

  it("compresses on the fly what is worth it", async () => {
    const site = siteOf(
      { "/site/a.txt": text, "/site/large.txt": text.repeat(100), "/site/b.txt": "short" },
      {
        compress: true,
      },
    );
    for (const path of ["/a.txt", "/large.txt"]) {
      const response = await site.get(path, { "accept-encoding": "gzip" });
      assert.equal(response.headers.get("content-encoding"), "gzip");
      assert.equal(response.headers.get("vary"), "accept-encoding");
      assert.match(response.headers.get("etag") ?? "", /^W\//);
      assert.equal(response.headers.get("accept-ranges"), null);
      assert.ok((await gunzip(response)).startsWith(text));
    }
    const short = await site.get("/b.txt", { "accept-encoding": "gzip" });
    assert.equal(short.headers.get("content-encoding"), null);
    assert.equal(short.headers.get("vary"), "accept-encoding");
    assert.equal(site.files.openCount(), 0);
  });

  it("says the same to HEAD without doing the work, and sends ranges of the file itself", async () => {
    const site = siteOf({ "/site/a.txt": text }, { compress: true });
    const head = await site.get("/a.txt", { "accept-encoding": "gzip" }, "HEAD");
    assert.equal(head.headers.get("content-encoding"), "gzip");
    assert.equal(head.headers.get("content-length"), null);
    const part = await site.get("/a.txt", { "accept-encoding": "gzip", range: "bytes=0-7" });
    assert.equal(part.headers.get("content-encoding"), null);
    assert.equal(await part.text(), "All work");
    const tag = head.headers.get("etag") as string;
    assert.equal(await site.status("/a.txt", { "accept-encoding": "gzip", "if-none-match": tag }), 304);
    assert.equal(await site.status("/a.txt", { "if-none-match": tag }), 200);
  });

  it("prefers a fresh compressed file, and skips one that is older than its original", async () => {
    const now = Date.UTC(2024, 5, 1);
    const site = siteOf({
      "/site/app.js": { content: text, mtimeMs: now },
      "/site/app.js.br": { content: "old", mtimeMs: now - 1 },
      "/site/app.js.gz": { content: "fresh", mtimeMs: now },
    }, { precompressed: true, compress: true });
    const response = await site.get("/app.js", { "accept-encoding": "br, gzip;q=0.5" });
    assert.equal(response.headers.get("content-encoding"), "gzip");
    assert.equal(await response.text(), "fresh");
    assert.equal(site.files.openCount(), 0);
  });

  it("releases the file when a compressed download is aborted", async () => {
    const site = siteOf({ "/site/large.txt": text.repeat(100) }, { compress: true });
    const response = await site.get("/large.txt", { "accept-encoding": "gzip" });
    await response.body?.cancel();
    // The platform's stream passes the cancel on in its own time.
    for (let turn = 0; site.files.openCount() > 0 && turn < 200; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(site.files.openCount(), 0);
  });
});

describe("staticFiles() and headers by path", () => {
  it("go by the file that is sent, and onto every answer", async () => {
    const site = siteOf({ "/site/index.html": "x", "/site/sub/index.html": "SUB", "/site/a.txt": "a" }, {
      headers: [
        { path: "*.html", headers: { "X-Page": "yes", "Cache-Control": "no-store" } },
        { path: "**", headers: { "X-All": "1" } },
      ],
    });
    const index = await site.get("/sub/");
    assert.equal(index.headers.get("x-page"), "yes");
    assert.equal(index.headers.get("cache-control"), "no-store");
    assert.equal((await site.get("/a.txt")).headers.get("x-page"), null);
    const tag = (await site.get("/a.txt")).headers.get("etag") as string;
    for (
      const response of [
        await site.get("/a.txt"),
        await site.get("/a.txt", { range: "bytes=0-0" }),
        await site.get("/a.txt", { range: "bytes=9-" }),
        await site.get("/a.txt", { "if-none-match": tag }),
        await site.get("/a.txt", { "if-match": '"x"' }),
        await site.get("/sub"),
        await site.get("/nope"),
        await site.get("/a.txt", {}, "POST"),
        await site.get("/a.txt", {}, "OPTIONS"),
      ]
    ) assert.equal(response.headers.get("x-all"), "1", String(response.status));
  });
});

describe("staticFiles() and failures", () => {
  it("answers 403 for what it may not read, and says so in the log", async () => {
    const site = siteOf({ "/site/a.txt": { content: "a", unreadable: true } });
    const methods: [string, Record<string, string>][] = [["GET", {}], ["HEAD", {}], ["GET", {
      "if-none-match": "*",
    }]];
    for (const [method, headers] of methods) {
      assert.equal(await site.status("/a.txt", headers, method), 403);
    }
    assert.match(site.messages[0] as string, /permissions of \/a\.txt/);
  });

  it("answers 503 with Retry-After when it is out of descriptors, listings too", async () => {
    const site = siteOf({ "/site/a.txt": "a" }, { listing: true });
    site.files.exhausted = true;
    for (const path of ["/a.txt", "/"]) {
      const response = await site.get(path);
      assert.equal(response.status, 503, path);
      assert.match(response.headers.get("retry-after") ?? "", /^\d+$/);
    }
    site.files.exhausted = false;
    assert.equal(await site.status("/a.txt"), 200);
  });

  it("tries once more when a file changes under its hands, then answers 503", async () => {
    const files = memoryFileSystem({ "/site/a.txt": "a" });
    let failures = 1;
    const open: typeof files.open = async (path) => {
      const file = await files.open(path);
      if (file === null || failures-- <= 0) return file;
      return { ...file, read: () => Promise.reject(new FileError("changed", "it was changed")) };
    };
    const handler = staticFiles({ root: "/site", fileSystem: { ...files, open }, log: () => {} });
    const get = async () => (await handler(new Request("http://h/a.txt")))?.status;
    assert.equal(await get(), 200);
    failures = 2;
    assert.equal(await get(), 503);
    assert.equal(files.openCount(), 0);
  });

  it("answers 500 without details for the rest, with them in the log", async () => {
    const files = memoryFileSystem({ "/site/a.txt": "a" });
    const messages: string[] = [];
    const handler = staticFiles({
      root: "/site",
      fileSystem: { ...files, open: () => Promise.reject(new Error("disk on fire at /dev/sda")) },
      log: (event) => event.type === "message" && messages.push(event.message),
    });
    const response = await handler(new Request("http://h/a.txt"));
    assert.equal(response?.status, 500);
    assert.doesNotMatch(await response?.text() ?? "", /fire|sda/);
    assert.match(messages[0] as string, /\/a\.txt.*disk on fire/);
  });

  it("gives way to the built-in page when the operator's fails", async () => {
    const site = siteOf({}, {
      renderError() {
        throw new Error("no");
      },
    });
    assert.equal(await site.status("/x"), 404);
  });

  it("never opens what is not a regular file", async () => {
    const site = siteOf({ "/site/fifo": { special: "fifo" } });
    assert.equal(await site.status("/fifo"), 404);
  });

  it("leaves no file open, whatever the answer", async () => {
    const site = siteOf({ "/site/a.txt": "x".repeat(200_000), "/site/b.js": "b", "/site/b.js.br": "B" }, {
      precompressed: true,
    });
    const tag = (await site.get("/a.txt", {}, "HEAD")).headers.get("etag") as string;
    const asked: [string, Record<string, string>, string?][] = [
      ["/a.txt", {}, "HEAD"],
      ["/a.txt", { "if-none-match": tag }],
      ["/a.txt", { "if-match": '"x"' }],
      ["/a.txt", { range: "bytes=999999-" }],
      ["/a.txt", { range: "bytes=0-9" }],
      ["/a.txt", { range: "bytes=0-99999" }],
      ["/a.txt", { range: "bytes=0-9,20-99999" }],
      ["/a.txt/", {}],
      ["/a.txt", {}],
      ["/b.js", { "accept-encoding": "br" }],
      ["/b.js", { "accept-encoding": "gzip" }],
    ];
    for (const [path, headers, method] of asked) {
      await site.status(path, headers, method);
      assert.equal(site.files.openCount(), 0, JSON.stringify([path, headers, method]));
    }
  });
});

describe("staticFiles() and its options", () => {
  it("refuses those that make no sense", () => {
    const fileSystem = memoryFileSystem({});
    const bad: Parameters<typeof staticFiles>[0][] = [
      { root: "" },
      { root: [] },
      { root: undefined as never },
      { root: "/s", mount: "static" },
      { root: "/s", index: ["a/b.html"] },
      { root: "/s", index: "index.html" as never },
      { root: "/s", spa: "../x.html" },
      { root: "/s", notFoundPage: "" },
      { root: "/s", cgiExtensions: ["cgi"] },
      { root: "/s", types: { txt: "text/plain" } },
      { root: "/s", defaultType: "nonsense" },
      { root: "/s", cache: "a\nb" },
      { root: "/s", headers: [{ path: "**", headers: { "X Y": "z" } }] },
    ];
    for (const options of bad) {
      assert.throws(
        () => staticFiles({ fileSystem, ...options }),
        { name: "TypeError", message: /^Cannot / },
        JSON.stringify(options),
      );
    }
  });

  it("answers POST as Python's CGI server did, where asked to", async () => {
    const site = siteOf({ "/site/a.txt": "a" }, { postIsForCgi: true });
    const response = await site.get("/a.txt", { accept: "text/plain" }, "POST");
    assert.equal(response.status, 501);
    assert.match(await response.text(), /Can only POST to CGI scripts/);
    assert.equal(await site.status("/a.txt", {}, "PUT"), 405);
  });
});
