/**
 * What a path leads to: links, script areas, several roots.
 *
 * @module
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { siteOf } from "./_handler.ts";

describe("staticFiles() and links", () => {
  const tree = {
    "/site/hello.txt": "hello",
    "/site/sub/a.txt": "a",
    "/site/.env": "secret",
    "/site/in.txt": { link: "hello.txt" },
    "/site/linkdir": { link: "sub" },
    "/site/dotlink.txt": { link: ".env" },
    "/site/out.txt": { link: "../outside/a.txt" },
    "/site/outdir": { link: "/outside" },
    "/site/twin.txt": { link: "../site-secret/a.txt" },
    "/site/outdot.txt": { link: "/outside/.hidden/a.txt" },
    "/site/broken": { link: "nowhere" },
    "/site/loop": { link: "loop" },
    "/outside/a.txt": "outside",
    "/outside/.hidden/a.txt": "hidden",
    "/site-secret/a.txt": "secret",
  };

  it("serves those that stay inside, by default", async () => {
    const site = siteOf(tree);
    assert.equal(await (await site.get("/in.txt")).text(), "hello");
    assert.equal(await (await site.get("/linkdir/a.txt")).text(), "a");
    for (
      const path of [
        "/out.txt",
        "/outdir/a.txt",
        "/twin.txt",
        "/dotlink.txt",
        "/outdot.txt",
        "/broken",
        "/loop",
        "/loop/x",
      ]
    ) assert.equal(await site.status(path), 404, path);
  });

  it("says once in the log what was not followed, and what to do", async () => {
    const site = siteOf(tree);
    await site.status("/out.txt");
    await site.status("/out.txt");
    assert.equal(site.messages.length, 1);
    assert.match(site.messages[0] as string, /\/out\.txt.*followSymlinks/);
  });

  it("serves those that lead outside with followSymlinks, but for dot names on their way", async () => {
    const site = siteOf(tree, { followSymlinks: true });
    assert.equal(await (await site.get("/out.txt")).text(), "outside");
    assert.equal(await (await site.get("/outdir/a.txt")).text(), "outside");
    assert.equal(await site.status("/outdot.txt"), 404);
    assert.equal(await site.status("/dotlink.txt"), 404);
  });

  it("serves none with followSymlinks never", async () => {
    const site = siteOf(tree, { followSymlinks: "never" });
    assert.equal(await site.status("/hello.txt"), 200);
    for (const path of ["/in.txt", "/linkdir/a.txt", "/out.txt"]) {
      assert.equal(await site.status(path), 404, path);
    }
  });

  it("serves a root that is a link, and one below a hidden folder", async () => {
    const linked = siteOf({ ...tree, "/current": { link: "site" } }, {
      root: "/current",
      followSymlinks: "never",
    });
    assert.equal(await linked.status("/hello.txt"), 200);
    assert.equal(await linked.status("/out.txt"), 404);
    const hidden = siteOf({ "/home/.site/a.txt": "a" }, { root: "/home/.site/" });
    assert.equal(await hidden.status("/a.txt"), 200);
  });

  it("follows a root that is switched, without a gap", async () => {
    const site = siteOf({
      "/releases/1/a.txt": "one",
      "/releases/2/a.txt": "two",
      "/current": { link: "releases/1" },
    }, { root: "/current" });
    assert.equal(await (await site.get("/a.txt")).text(), "one");
    site.files.nodes.set("/current", { link: "releases/2" });
    assert.equal(await (await site.get("/a.txt")).text(), "two");
  });

  it("serves a single file as the root", async () => {
    const site = siteOf(tree, { root: "/site/hello.txt" });
    assert.equal((await site.get("/")).headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(await site.status("/x"), 404);
    assert.equal(await site.status("/hello.txt"), 404);
  });

  it("answers 404 for a root that is missing, and says so once", async () => {
    const site = siteOf(tree, { root: "/nowhere" });
    assert.equal(await site.status("/hello.txt"), 404);
    assert.equal(await site.status("/"), 404);
    assert.equal(site.messages.length, 1);
    assert.match(site.messages[0] as string, /\/nowhere/);
  });
});

describe("staticFiles() and script areas", () => {
  const tree = {
    "/site/cgi-bin/x.sh": "source",
    "/site/scripts/y.sh": "source",
    "/site/alias": { link: "cgi-bin" },
    "/site/htbin": { link: "scripts" },
    "/site/a.CGI": "source",
    "/site/a.CGI.gz": "source",
    "/site/a.cgi.br": "source",
    "/site/alias.txt": { link: "a.CGI" },
    "/site/named.cgi": { link: "ok.txt" },
    "/site/dir.cgi/index.html": "page",
    "/site/ok.txt": "ok",
  };
  const options = { cgiDirectories: ["cgi-bin", "htbin"], cgiExtensions: [".cgi"], listing: true };

  it("are never served, under whatever name", async () => {
    for (const followSymlinks of [false, true] as const) {
      const site = siteOf(tree, { ...options, followSymlinks, dotfiles: true });
      for (
        const path of [
          "/cgi-bin/x.sh",
          "/CGI-BIN/x.sh",
          "/cgi-bin",
          "/cgi-bin/",
          "/alias/x.sh",
          "/alias/",
          "/htbin/y.sh",
          // The folder that the area's link leads to.
          "/scripts/y.sh",
          "/a.CGI",
          "/a.CGI.gz",
          "/a.cgi.br",
          "/alias.txt",
          // Its own name is a script's, whatever it leads to.
          "/named.cgi",
        ]
      ) assert.equal(await site.status(path), 404, path);
      assert.equal(await site.status("/ok.txt"), 200);
    }
  });

  it("are not listed", async () => {
    const site = siteOf(tree, options);
    const entries = await (await site.get("/", { accept: "application/json" })).json() as { name: string }[];
    assert.deepEqual(entries.map(({ name }) => name), ["dir.cgi", "ok.txt"]);
  });

  it("leave a folder alone that only has a script's ending", async () => {
    const site = siteOf(tree, options);
    assert.equal(await (await site.get("/dir.cgi/")).text(), "page");
  });
});

describe("staticFiles() with several roots", () => {
  const tree = {
    "/a/one.txt": "a1",
    "/a/both.txt": "a2",
    "/a/dir/in-a.txt": "a3",
    "/a/x": "a4",
    "/a/locked": { special: "fifo" },
    "/a/mixed/a.txt": "a5",
    "/b/two.txt": "b1",
    "/b/both.txt": "b2",
    "/b/dir/in-b.txt": "b3",
    "/b/dir/index.html": "b4",
    "/b/x/below.txt": "b5",
    "/b/locked": "b6",
    "/b/mixed": "b7",
    "/b/only/c.txt": "b8",
  } as const;
  const options = { root: ["/a", "/b"], listing: true };

  it("lets the first that has a name win", async () => {
    const site = siteOf(tree, options);
    assert.equal(await (await site.get("/one.txt")).text(), "a1");
    assert.equal(await (await site.get("/two.txt")).text(), "b1");
    assert.equal(await (await site.get("/both.txt")).text(), "a2");
    assert.equal(await (await site.get("/dir/in-a.txt")).text(), "a3");
    assert.equal(await (await site.get("/dir/in-b.txt")).text(), "b3");
    assert.equal(await (await site.get("/dir/")).text(), "b4");
    assert.equal(await (await site.get("/mixed/a.txt")).text(), "a5");
    assert.equal(await site.status("/mixed"), 301);
    assert.equal(site.files.openCount(), 0);
  });

  it("hides what is below a name that an upper root has", async () => {
    const site = siteOf(tree, options);
    assert.equal(await site.status("/x"), 200);
    assert.equal(await site.status("/x/below.txt"), 404);
    assert.equal(await site.status("/locked"), 404);
  });

  it("lists them as one", async () => {
    const site = siteOf(tree, options);
    const entries = await (await site.get("/", { accept: "application/json" })).json() as { name: string }[];
    assert.deepEqual(entries.map(({ name }) => name), [
      "dir",
      "mixed",
      "only",
      "both.txt",
      "one.txt",
      "two.txt",
      "x",
    ]);
  });

  it("takes a compressed file from the root of the file itself only", async () => {
    const site = siteOf({ "/a/app.js": "new", "/b/app.js": "old", "/b/app.js.gz": "old gz" }, {
      root: ["/a", "/b"],
      precompressed: true,
    });
    assert.equal(await (await site.get("/app.js", { "accept-encoding": "gzip" })).text(), "new");
  });
});
