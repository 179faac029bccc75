/** Which script answers which path, on a disk. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { before, describe, it } from "node:test";
import { createDiagnosis } from "../../src/cgi/diagnosis.ts";
import { createLookup } from "../../src/cgi/lookup.ts";
import type { CgiOptions } from "../../src/cgi/options.ts";
import { isRefusal, requestPath } from "../../src/request_path.ts";
import { runtime } from "../_runtime.ts";
import { fakeProcesses } from "./_fakes.ts";
import { temporaryFolder, write } from "./_temporary.ts";

const posix = process.platform === "win32" ? "needs POSIX permissions and links" : false;
const rootOnly = process.getuid?.() === 0 ? false : "needs root, to give a file to somebody else";
const sh = "#!/bin/sh\n";

describe("on a disk", { skip: posix }, () => {
  const base = temporaryFolder();
  const site = join(base, "site");
  const bin = join(site, "cgi-bin");

  before(() => {
    write(join(bin, "hello"), sh);
    write(join(bin, "deep/er/script"), sh);
    write(join(bin, "plain"), sh, 0o644);
    write(join(bin, "private"), sh, 0o700);
    write(join(bin, "locked/x"), sh);
    write(join(site, "page.html"), "page", 0o644);
    write(join(base, "outside"), sh);
    symlinkSync(join(base, "outside"), join(bin, "out"));
    symlinkSync("../page.html", join(bin, "in"));
    symlinkSync("loop", join(bin, "loop"));
    symlinkSync("gone", join(bin, "dangling"));
    mkdirSync(join(site, "pub"));
    symlinkSync("../cgi-bin/hello", join(site, "pub/alias.txt"));
    assert.equal(spawnSync("mkfifo", [join(bin, "pipe")]).status, 0);
    chmodSync(join(bin, "locked"), 0o700);
  });

  async function look(target: string, options: CgiOptions = {}) {
    const path = requestPath(new URL(`http://localhost${target}`));
    assert.ok(!isRefusal(path));
    const all: CgiOptions = { root: site, directories: ["cgi-bin"], ...options };
    const found = await createLookup(all, runtime.files, fakeProcesses())(path, "");
    if (found.kind === "script") return [found.script.filename, found.script.pathInfo];
    return found.kind === "pass" ? "pass" : found.status;
  }

  const cases: readonly (readonly [string, unknown, CgiOptions?])[] = [
    ["/cgi-bin/hello", ["hello", null]],
    ["/cgi-bin/hello/x/y", ["hello", "/x/y"]],
    ["/cgi-bin/deep/er/script/x", ["deep/er/script", "/x"]],
    ["/cgi-bin/missing", 404],
    ["/cgi-bin/missing/x", 404],
    ["/cgi-bin/dangling", 404],
    ["/cgi-bin/loop", 404],
    ["/cgi-bin/deep", 403],
    ["/cgi-bin/pipe", 403],
    ["/cgi-bin/plain", 403],
    ["/cgi-bin/in", 403],
    ["/cgi-bin/out", 404],
    ["/cgi-bin/out", ["out", null], { followSymlinks: true }],
    [`/cgi-bin/${"n".repeat(300)}`, 404],
    ["/page.html", "pass"],
  ];
  for (const [target, expected, options] of cases) {
    it(`${target.slice(0, 40)} ${options === undefined ? "" : JSON.stringify(options)}`, async () => {
      const wanted = Array.isArray(expected) ? [join(bin, expected[0]), expected[1]] : expected;
      assert.deepEqual(await look(target, options), wanted);
    });
  }

  it("a folder that is a link is the root", async () => {
    symlinkSync(site, join(base, "alias"));
    assert.deepEqual(await look("/cgi-bin/hello", { root: join(base, "alias") }), [
      join(base, "alias/cgi-bin/hello"),
      null,
    ]);
  });

  it("a relative root starts at the working directory", async () => {
    const lookup = await look("/manifest_test.ts/x", { root: "tests", directories: ["."] });
    assert.equal(lookup, 403);
  });

  it("what another user may do shows before that user tries", { skip: rootOnly }, async () => {
    chownSync(join(bin, "private"), 0, 0);
    const nobody = { uid: 65534, gid: 65534 };
    const root = fakeProcesses({ user: { uid: 0, gid: 0 }, users: { nobody } });
    const find = createLookup({ root: site, directories: ["cgi-bin"] }, runtime.files, root);
    const at = async (name: string) => {
      const path = requestPath(new URL(`http://localhost/cgi-bin/${name}`));
      assert.ok(!isRefusal(path));
      return await find(path, "");
    };
    assert.match(
      JSON.stringify(await at("private")),
      /403.*nobody, who cannot execute .*private \(mode 700\)/,
    );
    const locked = await at("locked/x");
    assert.equal(locked.kind, "script");
    const diagnose = createDiagnosis({}, runtime.files, root);
    assert.match(
      (locked.kind === "script" && await diagnose(locked.script)) || "",
      /nobody, who cannot enter .*locked \(mode 700\)/,
    );
  });
});
