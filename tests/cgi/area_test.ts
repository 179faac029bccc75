/** Which paths belong to scripts. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cgiAreas } from "../../src/cgi/area.ts";

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
      ["cgi-bin", true],
      ["cgi-bin/x", true],
      ["CGI-BIN/x", true],
      ["Cgi-Bin", true],
      ["cgi-bin./x", true],
      ["cgi-bin::$INDEX_ALLOCATION/x", true],
      ["cg\u0131-bin/x", true],
      ["sub/dir/cgi-bin/x", true],
      ["sub/cgi-bin/x", false],
      ["cgi-binx/y", false],
      ["x.cgi", false],
      ["", false],
    ] as const
  ) {
    it(`hidesPath("${path}") is ${expected}`, () => {
      assert.equal(areas.hidesPath(segments(path)), expected);
    });
  }

  for (
    const [name, expected] of [
      ["x.CGI", true],
      ["x.cgi.", true],
      ["x.cgi ", true],
      ["x.cgi::$DATA", true],
      // Letters that some file systems fold to ASCII.
      ["x.cg\u0131", true],
      ["x.\uFF43\uFF47\uFF49", true],
      ["x.cg\u0130", true],
      // Compressed source.
      ["x.py.gz", true],
      ["x.CGI.br", true],
      ["x.cgi.txt", false],
      ["x.txt", false],
    ] as const
  ) {
    it(`hidesName("${name}") is ${expected}`, () => {
      assert.equal(areas.hidesName(name), expected);
    });
  }

  it("takes . for everything", () => {
    const all = cgiAreas(["."], []);
    assert.equal(all.inDirectory([]), true);
    assert.equal(all.hidesPath(["x"]), true);
  });

  it("hides nothing without folders and endings", () => {
    const none = cgiAreas([], []);
    assert.equal(none.hidesPath(["cgi-bin", "x"]), false);
    assert.equal(none.hidesName("x.cgi"), false);
  });

  for (const directory of ["cgi-bin", "/cgi-bin", "cgi-bin/", "/cgi-bin/"]) {
    it(`takes ${directory} for the folder below the root`, () => {
      assert.deepEqual(cgiAreas([directory], []).directories, [["cgi-bin"]]);
    });
  }

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
