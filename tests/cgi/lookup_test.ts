/** Which script answers which path. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLookup } from "../../src/cgi/lookup.ts";
import type { CgiOptions } from "../../src/cgi/options.ts";
import type { Lookup } from "../../src/cgi/script.ts";
import { isRefusal, requestPath, requestUrl } from "../../src/request_path.ts";
import { FileError, type FileSystem } from "../../src/runtime.ts";
import { fakeProcesses, programFiles, windowsFiles } from "./_fakes.ts";

const sh = "#!/bin/sh\n";

const files = programFiles({
  "/site/index.html": "page",
  "/site/outside.sh": sh,
  "/site/page.cgi": sh,
  "/site/docs.cgi/page.txt": "text",
  "/site/docs.cgi/deep.cgi": sh,
  "/site/cgi-binX/x": sh,
  "/site/cgi-bin/hello": sh,
  "/site/cgi-bin/UPPER.CGI": sh,
  "/site/cgi-bin/child-dir/file3.py": sh,
  "/site/cgi-bin/no-perm.sh": sh,
  "/site/cgi-bin/plain.php": "<?php",
  "/site/cgi-bin/nph-raw": sh,
  "/site/cgi-bin/pipe": { special: "fifo" },
  "/site/cgi-bin/.hidden": sh,
  "/site/cgi-bin/.dir/x": sh,
  "/site/cgi-bin/.well-known/x": sh,
  "/site/cgi-bin/a b\u00e9": sh,
  "/site/cgi-bin/inside": { link: "/site/outside.sh" },
  "/site/cgi-bin/outlink": { link: "/elsewhere/x" },
  "/site/cgi-bin/outdir": { link: "/elsewhere" },
  "/site/cgi-bin/index.cgi": sh,
  "/site/sub/dir/cgi-bin/file5.py": sh,
  "/site/sub/index.cgi": sh,
  "/elsewhere/x": sh,
  "/elsewhere/sub/y": sh,
}, { "/site/cgi-bin/no-perm.sh": 0o644, "/site/cgi-bin/plain.php": 0o644, "/bin/php-cgi": 0o755 });

const site: CgiOptions = { root: "/site", directories: ["cgi-bin", "htbin"] };

function look(
  options: CgiOptions,
  target: string,
  mount = "",
  fileSystem: FileSystem = files,
): Promise<Lookup> {
  const path = requestPath(requestUrl({ url: `http://localhost${target}` }));
  assert.ok(!isRefusal(path), `${target} does not reach the lookup`);
  return createLookup(options, fileSystem, fakeProcesses())(path, mount);
}

/** `kind`, or the refusal's status, or what was found: file, SCRIPT_NAME, PATH_INFO. */
async function outcome(options: CgiOptions, target: string, mount = ""): Promise<unknown> {
  const lookup = await look(options, target, mount);
  if (lookup.kind === "pass") return "pass";
  if (lookup.kind === "refused") return lookup.status;
  const { filename, scriptName, pathInfo } = lookup.script;
  return [filename, scriptName, pathInfo];
}

type Case = readonly [target: string, expected: unknown, options?: CgiOptions, mount?: string];

function table(name: string, defaults: CgiOptions, cases: readonly Case[]): void {
  describe(name, () => {
    for (const [target, expected, options, mount] of cases) {
      const shown = [options && JSON.stringify(options), mount && `at ${mount}`].filter(Boolean).join(" ");
      it(`${target} ${shown}`, async () => {
        assert.deepEqual(await outcome({ ...defaults, ...options }, target, mount), expected);
      });
    }
  });
}

const hello = "/site/cgi-bin/hello";

table("directories", site, [
  ["/cgi-bin/hello", [hello, "/cgi-bin/hello", null]],
  ["/cgi-bin/hello?a=b", [hello, "/cgi-bin/hello", null]],
  ["/cgi-bin/hello/", [hello, "/cgi-bin/hello", "/"]],
  ["/cgi-bin/hello/extra/path", [hello, "/cgi-bin/hello", "/extra/path"]],
  ["/cgi-bin/child-dir/file3.py", ["/site/cgi-bin/child-dir/file3.py", "/cgi-bin/child-dir/file3.py", null]],
  ["/cgi-bin/child-dir/file3.py/x", [
    "/site/cgi-bin/child-dir/file3.py",
    "/cgi-bin/child-dir/file3.py",
    "/x",
  ]],
  ["/cgi-bin/a%20b%C3%A9/c%20d", ["/site/cgi-bin/a b\u00e9", "/cgi-bin/a b\u00e9", "/c d"]],
  ["/cgi-bin/%68ello", [hello, "/cgi-bin/hello", null]],
  ["/cgi%2dbin/hello", [hello, "/cgi-bin/hello", null]],
  ["/cgi-bin/missing", 404],
  ["/cgi-bin/child-dir/missing/x", 404],
  ["/htbin/missing", 404],
  ["/cgi-bin", 403],
  ["/cgi-bin/", 403],
  ["/cgi-bin/child-dir", 403],
  ["/cgi-bin/child-dir/", 403],
  ["/cgi-bin/pipe", 403],
  ["/cgi-bin/pipe/x", 403],
  ["/cgi-bin/no-perm.sh", 403],
  ["/cgi-bin/no-perm.sh/x", 403],
  ["/", "pass"],
  ["/index.html", "pass"],
  ["/outside.sh", "pass"],
  ["/cgi-binX/x", "pass"],
  ["/CGI-BIN/hello", "pass"],
  ["/page.cgi", "pass"],
  ["/cgi-bin%2fhello", "pass"],
  ["/x/cgi-bin/hello", "pass"],
  // One path, one decision: dot segments are gone before anything is looked up.
  ["/x/../cgi-bin/hello", [hello, "/cgi-bin/hello", null]],
  ["/cgi-bin/../outside.sh", "pass"],
  ["/cgi-bin/%2e%2e/outside.sh", "pass"],
  ["/cgi-bin/%252e%252e/outside.sh", 404],
  ["/cgi-bin/hello/../../outside.sh", "pass"],
  [
    "/sub/dir/cgi-bin/file5.py/p",
    ["/site/sub/dir/cgi-bin/file5.py", "/sub/dir/cgi-bin/file5.py", "/p"],
    { directories: ["sub/dir/cgi-bin"] },
  ],
  ["/sub/dir/x", "pass", { directories: ["sub/dir/cgi-bin"] }],
  ["/outside.sh", ["/site/outside.sh", "/outside.sh", null], { directories: ["."] }],
  ["/", 403, { directories: ["."] }],
]);

table("what cannot name a script", site, [
  ["//cgi-bin/hello", 404],
  ["///////////nocgi.py/../cgi-bin/nothere.sh", 404],
  ["/cgi-bin//hello", 404],
  ["/cgi-bin/child-dir//file3.py", 404],
  ["/cgi-bin/child-dir%2ffile3.py", 404],
  ["/cgi-bin/child-dir%5cfile3.py", 404],
  ["/cgi-bin/..%2foutside.sh", 404],
  ["/cgi-bin/%2e%2e%2foutside.sh", 404],
  ["/cgi-bin/hello%20", 404],
  ["/cgi-bin/hello%01", 400],
  ["/cgi-bin/%0d%0aX:y", 400],
  ["/cgi-bin/%7f", 400],
  ["/cgi-bin/.hidden", 404],
  ["/cgi-bin/.dir/x", 404],
  ["/cgi-bin/.hidden", ["/site/cgi-bin/.hidden", "/cgi-bin/.hidden", null], { dotfiles: true }],
  ["/cgi-bin/.well-known/x", ["/site/cgi-bin/.well-known/x", "/cgi-bin/.well-known/x", null]],
]);

table("PATH_INFO", site, [
  ["/cgi-bin/hello//x//y/", [hello, "/cgi-bin/hello", "//x//y/"]],
  ["/cgi-bin/hello/a%2Fb", [hello, "/cgi-bin/hello", "/a/b"]],
  ["/cgi-bin/hello/a%5Cb", [hello, "/cgi-bin/hello", "/a\\b"]],
  ["/cgi-bin/hello/this%2eis%2epath%3binfo", [hello, "/cgi-bin/hello", "/this.is.path;info"]],
  ["/cgi-bin/hello/UPPER/Lower", [hello, "/cgi-bin/hello", "/UPPER/Lower"]],
  ["/cgi-bin/hello/.git/x", [hello, "/cgi-bin/hello", "/.git/x"]],
  ["/cgi-bin/hello/...", [hello, "/cgi-bin/hello", "/..."]],
  ["/cgi-bin/hello/%252e%252e/x", [hello, "/cgi-bin/hello", "/%2e%2e/x"]],
  ["/cgi-bin/hello/a%01", 400],
  ["/cgi-bin/hello/a%0ab", 400],
  ["/cgi-bin/hello/a%7fb", 400],
  ["/cgi-bin/hello/..%2f..%2fetc%2fpasswd", 404],
  ["/cgi-bin/hello/a%2f%2e%2e", 404],
  ["/cgi-bin/hello/a%2f.%2fb", 404],
  ["/cgi-bin/hello/..%5c..%5cx", 404],
  ["/cgi-bin/hello/x", 404, { pathInfo: false }],
  ["/cgi-bin/hello/", 404, { pathInfo: false }],
  ["/cgi-bin/hello", [hello, "/cgi-bin/hello", null], { pathInfo: false }],
]);

table("links", site, [
  ["/cgi-bin/inside", ["/site/cgi-bin/inside", "/cgi-bin/inside", null]],
  ["/cgi-bin/outlink", 404],
  ["/cgi-bin/outlink/x", 404],
  ["/cgi-bin/outdir/x", 404],
  // Not even whether there is something.
  ["/cgi-bin/outdir/sub", 404],
  ["/cgi-bin/outdir", 404],
  ["/cgi-bin/outlink", ["/site/cgi-bin/outlink", "/cgi-bin/outlink", null], { followSymlinks: true }],
  ["/cgi-bin/outdir/x/p", ["/site/cgi-bin/outdir/x", "/cgi-bin/outdir/x", "/p"], { followSymlinks: true }],
]);

const suffixes: CgiOptions = { root: "/site", directories: [], extensions: [".cgi"] };

table("extensions", suffixes, [
  ["/page.cgi", ["/site/page.cgi", "/page.cgi", null]],
  ["/page.cgi/info", ["/site/page.cgi", "/page.cgi", "/info"]],
  ["/docs.cgi/deep.cgi/x", ["/site/docs.cgi/deep.cgi", "/docs.cgi/deep.cgi", "/x"]],
  ["/docs.cgi/page.txt", "pass"],
  ["/docs.cgi", "pass"],
  ["/docs.cgi/", "pass"],
  ["/index.html", "pass"],
  ["/index.html/x.cgi", "pass"],
  ["/missing.cgi", 404],
  ["/nodir/missing.cgi", 404],
  ["/docs.cgi/missing.txt", "pass"],
  ["/page.cgi%20%20%20", "pass"],
  ["//page.cgi", 404],
  ["/.git/x.cgi", 404],
  ["/cgi-bin/UPPER.CGI", ["/site/cgi-bin/UPPER.CGI", "/cgi-bin/UPPER.CGI", null]],
  ["/page.cg%C4%B1", "pass"],
  ["/cgi-bin/hello", "pass"],
  ["/cgi-bin/hello", [hello, "/cgi-bin/hello", null], { directories: ["cgi-bin"] }],
]);

table("index scripts", { ...site, index: ["index.cgi"] }, [
  ["/cgi-bin/", ["/site/cgi-bin/index.cgi", "/cgi-bin/index.cgi", null]],
  ["/cgi-bin", ["/site/cgi-bin/index.cgi", "/cgi-bin/index.cgi", null]],
  ["/cgi-bin/child-dir/", 403],
  ["/sub/", "pass"],
  ["/sub/", ["/site/sub/index.cgi", "/sub/index.cgi", null], { extensions: [".cgi"] }],
  ["/sub", "pass", { extensions: [".cgi"] }],
  ["/", "pass", { extensions: [".cgi"] }],
]);

table("below a mount", { root: "/site/cgi-bin" }, [
  ["/cgi/hello/x", [hello, "/cgi/hello", "/x"], {}, "/cgi"],
  ["/a/b/hello", [hello, "/a/b/hello", null], {}, "/a/b"],
  ["/cgi", 403, {}, "/cgi"],
  ["/cgi/", 403, {}, "/cgi"],
  ["/other/hello", "pass", {}, "/cgi"],
  ["/cgix/hello", "pass", {}, "/cgi"],
  ["/hello", [hello, "/hello", null], {}, "/"],
]);

table("one script for everything", { script: hello }, [
  ["/", [hello, "", "/"]],
  ["/bar?a=b", [hello, "", "/bar"]],
  ["/hello/world/", [hello, "", "/hello/world/"]],
  ["//a//b", [hello, "", "//a//b"]],
  ["/test.cgi", [hello, "/test.cgi", null], {}, "/test.cgi"],
  ["/test.cgi/", [hello, "/test.cgi", "/"], {}, "/test.cgi"],
  ["/test.cgi/extrapath", [hello, "/test.cgi", "/extrapath"], {}, "/test.cgi"],
  ["/myscript/bar", [hello, "/myscript", "/bar"], {}, "/myscript"],
  ["/elsewhere", "pass", {}, "/myscript"],
  ["/bar", 404, { pathInfo: false }],
  ["/a%2f..%2fb", 404],
  ["/bar", 404, { script: "/site/cgi-bin/missing" }],
  ["/bar", 403, { script: "/site/cgi-bin" }],
  ["/bar", 403, { script: "/site/cgi-bin/no-perm.sh" }],
  ["/bar", ["/site/cgi-bin/outlink", "", "/bar"], { script: "/site/cgi-bin/outlink" }],
]);

describe("the script", () => {
  async function script(options: CgiOptions, target: string) {
    const lookup = await look({ ...site, ...options }, target);
    assert.equal(lookup.kind, "script");
    return lookup.kind === "script" ? lookup.script : assert.fail();
  }

  it("is started itself, in its folder", async () => {
    const found = await script({}, "/cgi-bin/child-dir/file3.py");
    assert.equal(found.program, "/site/cgi-bin/child-dir/file3.py");
    assert.deepEqual(found.args, []);
    assert.equal(found.cwd, "/site/cgi-bin/child-dir");
    assert.equal(found.documentRoot, "/site");
    assert.equal(found.nph, false);
  });
  it("has a head of its own when its name begins with nph-", async () => {
    assert.equal((await script({}, "/cgi-bin/nph-raw")).nph, true);
  });
  it("takes folders from the options", async () => {
    const found = await script({ workingDirectory: "/tmp/../var", documentRoot: "/www/" }, "/cgi-bin/hello");
    assert.equal(found.cwd, "/var");
    assert.equal(found.documentRoot, "/www");
  });
  it("has its own arguments only as the one script", async () => {
    assert.deepEqual((await script({ args: ["1"] }, "/cgi-bin/hello")).args, []);
    const lookup = await look({ script: hello, args: ["111", "222"] }, "/x");
    assert.deepEqual(lookup.kind === "script" && lookup.script.args, ["111", "222"]);
  });
  it("is found below a relative root", async () => {
    // The memory file system takes "." for its root.
    const lookup = await look({ root: "./site/x/..", directories: ["cgi-bin"] }, "/cgi-bin/hello");
    assert.equal(lookup.kind === "script" && lookup.script.filename, hello);
  });
});

describe("reasons", () => {
  async function reason(options: CgiOptions, target: string, fileSystem: FileSystem = files) {
    const lookup = await look({ ...site, ...options }, target, "", fileSystem);
    return lookup.kind === "refused" ? lookup.reason : lookup.kind;
  }
  const cases: readonly (readonly [string, string])[] = [
    ["/cgi-bin/no-perm.sh", "not executable: chmod +x /site/cgi-bin/no-perm.sh"],
    ["/cgi-bin/missing", "no such file: /site/cgi-bin/missing"],
    ["/cgi-bin/child-dir", "is a directory: /site/cgi-bin/child-dir"],
    ["/cgi-bin/pipe", "not a regular file: /site/cgi-bin/pipe"],
    [
      "/cgi-bin/outlink",
      "/site/cgi-bin/outlink leads out of /site, to /elsewhere/x (not followed unless followSymlinks is set)",
    ],
  ];
  for (const [target, expected] of cases) {
    it(target, async () => assert.equal(await reason({}, target), expected));
  }
  it("of a file the system refuses", async () => {
    const denied: FileSystem = {
      ...files,
      stat: () => Promise.reject(new FileError("denied", "EACCES: no")),
    };
    assert.equal(await reason({}, "/cgi-bin/hello", denied), "EACCES: no");
  });
  it("are not made up for other failures", async () => {
    const broken: FileSystem = { ...files, stat: () => Promise.reject(new FileError("exhausted", "EMFILE")) };
    await assert.rejects(reason({}, "/cgi-bin/hello", broken), { reason: "exhausted" });
  });
});

describe("the usual request", () => {
  it("asks for one status and one real path, and opens nothing", async () => {
    const counted = programFiles({ "/site/cgi-bin/x": sh });
    const find = createLookup(site, counted, fakeProcesses());
    const path = requestPath(new URL("http://localhost/cgi-bin/x"));
    assert.ok(!isRefusal(path));
    await find(path, "");
    Object.assign(counted.calls, { stat: 0, realPath: 0, open: 0 });
    assert.equal((await find(path, "")).kind, "script");
    // isExecutable of the fake resolves the path once more.
    assert.deepEqual(counted.calls, { stat: 1, realPath: 2, open: 0, list: 0 });
  });
  it("asks for nothing outside of the areas", async () => {
    const counted = programFiles({ "/site/x": sh });
    const path = requestPath(new URL("http://localhost/x"));
    assert.ok(!isRefusal(path));
    assert.equal((await createLookup(site, counted, fakeProcesses())(path, "")).kind, "pass");
    assert.deepEqual(counted.calls, { stat: 0, realPath: 0, open: 0, list: 0 });
  });
});

describe("a root that is a link", () => {
  it("may be changed while the server runs", async () => {
    const tree = programFiles({
      "/releases/1/cgi-bin/x": sh,
      "/releases/2/cgi-bin/x": sh,
      "/current": { link: "/releases/1" },
    });
    const find = createLookup({ root: "/current", directories: ["cgi-bin"] }, tree, fakeProcesses());
    const path = requestPath(new URL("http://localhost/cgi-bin/x"));
    assert.ok(!isRefusal(path));
    assert.equal((await find(path, "")).kind, "script");
    tree.nodes.set("/current", { link: "/releases/2" });
    assert.equal((await find(path, "")).kind, "script");
  });
});

describe("another user", () => {
  const nobody = { uid: 65534, gid: 65534 };
  const root = fakeProcesses({ user: { uid: 0, gid: 0 }, users: { nobody } });
  const modes = {
    "/site/cgi-bin/private": 0o700,
    "/site/cgi-bin/group": 0o750,
    "/site/cgi-bin/own": { ...nobody, mode: 0o500 },
    "/site/cgi-bin/notOwn": { ...nobody, mode: 0o055 },
    "/site/cgi-bin/none": 0o644,
  };
  const tree = programFiles(Object.fromEntries(Object.keys(modes).map((path) => [path, sh])), modes);

  async function status(name: string, user?: CgiOptions["user"]) {
    const path = requestPath(new URL(`http://localhost/cgi-bin/${name}`));
    assert.ok(!isRefusal(path));
    const options: CgiOptions = user === undefined ? site : { ...site, user };
    const lookup = await createLookup(options, tree, root)(path, "");
    return lookup.kind === "refused" ? lookup.reason : lookup.kind;
  }
  it("may not execute what is only root's", async () => {
    assert.equal(
      await status("private"),
      "started as root, scripts run as nobody, who cannot execute /site/cgi-bin/private (mode 700): " +
        "chmod o+rx /site/cgi-bin/private",
    );
    assert.match(await status("private", "1000:1000"), /^scripts run as 1000:1000, who cannot execute/);
  });
  it("may be allowed by an access list, which nothing here shows", async () => {
    assert.equal(await status("group"), "script");
  });
  it("may execute its own", async () => {
    assert.equal(await status("own"), "script");
    assert.match(await status("notOwn"), /who cannot execute/);
  });
  it("is not needed to say that nobody at all may", async () => {
    assert.equal(await status("none"), "not executable: chmod +x /site/cgi-bin/none");
  });
  it("is not looked at when scripts run as the server", async () => {
    assert.equal(await status("private", null), "script");
  });
});

describe("Windows", () => {
  const tree = windowsFiles({
    "C:\\site\\cgi-bin\\hi.exe": "MZ",
    "C:\\site\\cgi-bin\\child\\deep.exe": "MZ",
    "C:\\site\\cgi-bin\\run.bat": "@echo off",
    "C:\\site\\hi.txt": "text",
  });
  const options: CgiOptions = { root: "C:\\site", directories: ["cgi-bin"] };
  const cases: readonly (readonly [string, unknown])[] = [
    ["/cgi-bin/hi.exe/x", ["C:\\site\\cgi-bin\\hi.exe", "/cgi-bin/hi.exe", "/x"]],
    ["/cgi-bin/child/deep.exe", ["C:\\site\\cgi-bin\\child\\deep.exe", "/cgi-bin/child/deep.exe", null]],
    ["/cgi-bin/run.bat", 403],
    ["/cgi-bin/hi.exe::$DATA", 404],
    ["/cgi-bin/hi.exe.", 404],
    ["/cgi-bin/hi.exe%20", 404],
    ["/cgi-bin/C:hi.exe", 404],
    ["/cgi-bin/nul", 404],
    ["/cgi-bin/COM1.txt", 404],
    ["/cgi-bin/HI~1.EXE", 404],
    ["/X:/cgi-bin/hi.exe", "pass"],
    ["/cgi-bin::$INDEX_ALLOCATION/hi.exe", "pass"],
    ["/CGI-BIN/hi.exe", "pass"],
  ];
  for (const [target, expected] of cases) {
    it(target, async () => {
      const lookup = await look(options, target, "", tree);
      const actual = lookup.kind === "script"
        ? [lookup.script.filename, lookup.script.scriptName, lookup.script.pathInfo]
        : lookup.kind === "refused"
        ? lookup.status
        : "pass";
      assert.deepEqual(actual, expected);
    });
  }
  it("starts the script in its folder", async () => {
    const lookup = await look(options, "/cgi-bin/child/deep.exe", "", tree);
    assert.equal(lookup.kind === "script" && lookup.script.cwd, "C:\\site\\cgi-bin\\child");
  });
});

describe("createLookup() refuses", () => {
  const cases: readonly (readonly [string, CgiOptions])[] = [
    ["no place at all", {}],
    ["folders of one script", { script: "/x", directories: ["a"] }],
    ["endings of one script", { script: "/x", extensions: [".a"] }],
    ["a folder above", { root: "/x", directories: [".."] }],
    ["an ending without a dot", { root: "/x", extensions: ["cgi"] }],
    ["an interpreter for no ending", { root: "/x", interpreters: { py: "python3" } }],
    ["no interpreter", { root: "/x", interpreters: { ".py": [] } }],
  ];
  for (const [name, options] of cases) {
    it(name, () => {
      assert.throws(() => createLookup(options, files, fakeProcesses()), TypeError);
    });
  }
});
