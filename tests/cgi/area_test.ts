/** Which paths belong to scripts. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cgiAreas, createHidesFile } from "../../src/cgi/area.ts";
import { memoryFileSystem } from "../_memory_file_system.ts";

const segments = (path: string) => path === "" ? [] : path.split("/");

describe("cgiAreas()", () => {
  const areas = cgiAreas(["cgi-bin", "sub/dir/cgi-bin"], [".cgi", ".PY"]);

  for (
    const [path, expected] of [
      ["cgi-bin", true],
      ["cgi-bin/", true],
      ["cgi-bin/x/y", true],
      ["sub/dir/cgi-bin/x", true],
      ["sub/dir", false],
      ["sub/cgi-bin/x", false],
      ["cgi-binX/x", false],
      ["cgi-bin-x", false],
      ["CGI-BIN/x", false],
      ["x/cgi-bin/y", false],
      ["", false],
    ] as const
  ) {
    it(`inDirectory("${path}") is ${expected}`, () => {
      assert.equal(areas.inDirectory(segments(path)), expected);
    });
  }

  for (
    const [name, expected] of [
      ["x.cgi", true],
      ["x.CGI", true],
      ["x.Cgi", true],
      ["x.py", true],
      ["x.pyc", false],
      [".cgi", false],
      ["cgi", false],
      ["x.cg\u0131", false],
      ["x.c\uFF47i", false],
    ] as const
  ) {
    it(`hasExtension("${name}") is ${expected}`, () => {
      assert.equal(areas.hasExtension(name), expected);
    });
  }

  for (
    const [path, expected] of [
      ["cgi-bin/x", true],
      ["CGI-BIN/x", true],
      ["Cgi-Bin", true],
      ["cgi-bin./x", true],
      ["cgi-bin::$INDEX_ALLOCATION/x", true],
      ["cg\u0131-bin/x", true],
      ["pub/x.CGI", true],
      ["pub/x.cgi.", true],
      ["pub/x.cgi ", true],
      ["pub/x.cgi::$DATA", true],
      // Letters that some file systems fold to ASCII.
      ["pub/x.cg\u0131", true],
      ["pub/x.\uFF43\uFF47\uFF49", true],
      ["pub/x.cg\u0130", true],
      ["pub/x.cgi/y.txt", false],
      ["pub/x.txt", false],
      ["cgi-binx/y", false],
      ["", false],
    ] as const
  ) {
    it(`hides("${path}") is ${expected}`, () => {
      assert.equal(areas.hides(segments(path), "file"), expected);
    });
  }

  it("hides no folder for its ending", () => {
    assert.equal(areas.hides(["x.cgi"], "directory"), false);
    assert.equal(areas.hides(["cgi-bin"], "directory"), true);
  });

  it("takes . for everything", () => {
    const all = cgiAreas(["."], []);
    assert.equal(all.inDirectory([]), true);
    assert.equal(all.hides(["x"], "file"), true);
  });

  for (const directory of ["cgi-bin", "/cgi-bin", "cgi-bin/", "/cgi-bin/"]) {
    it(`takes ${directory} for the folder below the root`, () => {
      assert.deepEqual(cgiAreas([directory], []).directories, [["cgi-bin"]]);
    });
  }

  it("is empty without folders and endings", () => {
    assert.equal(cgiAreas([], []).empty, true);
    assert.equal(cgiAreas([], []).hides(["cgi-bin", "x"], "file"), false);
    assert.equal(areas.empty, false);
  });

  for (const bad of ["", "//", "//cgi-bin", "cgi-bin//", "a//b", "..", "a/../b", "./a"]) {
    it(`refuses the folder "${bad}"`, () => {
      assert.throws(() => cgiAreas([bad], []), TypeError);
    });
  }
  for (const bad of ["", ".", "cgi", ".a/b", ".\u00e9"]) {
    it(`refuses the ending "${bad}"`, () => {
      assert.throws(() => cgiAreas([], [bad]), TypeError);
    });
  }
});

describe("createHidesFile()", () => {
  const files = memoryFileSystem({
    "/site/cgi-bin": { link: "/site/programs" },
    "/site/programs/x.sh": "#!/bin/sh\n",
    "/site/pub/a.txt": "text",
    "/site/pub/link.txt": { link: "/site/programs/x.sh" },
    "/site/pub/alias.txt": { link: "/elsewhere/y.cgi" },
    "/elsewhere/y.cgi": "#!/bin/sh\n",
    "/elsewhere/plain.txt": "text",
  });
  const hides = createHidesFile(cgiAreas(["cgi-bin"], [".cgi"]), "/site", files);

  for (
    const [path, real, expected] of [
      ["pub/a.txt", "/site/pub/a.txt", false],
      ["cgi-bin/x.sh", "/site/programs/x.sh", true],
      // The folder that cgi-bin is a link to.
      ["programs/x.sh", "/site/programs/x.sh", true],
      ["pub/link.txt", "/site/programs/x.sh", true],
      ["pub/alias.txt", "/elsewhere/y.cgi", true],
      ["pub/plain.txt", "/elsewhere/plain.txt", false],
    ] as const
  ) {
    it(`of ${path} -> ${real} is ${expected}`, async () => {
      assert.equal(await hides(segments(path), real), expected);
    });
  }

  it("asks the file system for the folders once in a while only", async () => {
    const before = files.calls.realPath;
    for (let count = 0; count < 20; count++) {
      await hides(["pub", "a.txt"], "/site/pub/a.txt");
    }
    assert.ok(files.calls.realPath - before <= 2);
  });

  it("recovers after the file system failed", async () => {
    let failing = true;
    const flaky = createHidesFile(cgiAreas(["cgi-bin"], []), "/site", {
      ...files,
      realPath: (path) => failing ? Promise.reject(new Error("EMFILE")) : files.realPath(path),
    });
    await assert.rejects(flaky(["a"], "/site/a"));
    failing = false;
    assert.equal(await flaky(["a"], "/site/programs/x.sh"), true);
  });
});
