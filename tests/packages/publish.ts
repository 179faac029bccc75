/**
 * Publishing on JSR, rehearsed whole: checked, packed, uploaded, and then there for others to import.
 *
 * @module
 */

import assert from "node:assert/strict";
import { cp, readFile, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { Fixture } from "./_fixture.ts";
import { programs, run } from "./_run.ts";

/** Publishes; what follows can import the package from the registry. */
export function testPublishing(fixture: () => Fixture): void {
  test("deno publish finds no slow types and uploads what users import, and nothing else", async () => {
    const { registry } = fixture();
    const folder = await fixture().folder("publish");
    const env = { NPM_CONFIG_REGISTRY: registry.npm, JSR_URL: registry.jsr, DENO_DIR: join(folder, ".deno") };
    const { imports, publish, version } = JSON.parse(await readFile("jsr.json", "utf8"));
    // A copy, so that nothing of the work in progress around it counts.
    const checkout = join(folder, "checkout");
    for (const path of [".gitignore", ...publish.include]) {
      await cp(path, join(checkout, path), { recursive: true });
    }
    // The command is made, so git ignores it.
    await run("git", ["init", "--quiet"], { cwd: checkout });
    await symlink(resolve("node_modules"), join(checkout, "node_modules"));
    const flags = ["publish", "-c", "jsr.json", "--allow-dirty", "--no-provenance"];
    const dry = await run(programs.deno, [...flags, "--dry-run"], { cwd: checkout, env });
    assert.doesNotMatch(dry.stderr, /^(?:warning|error)\b/im);
    await run(programs.deno, [...flags, "--token", "rehearsal"], { cwd: checkout, env });
    const uploaded = registry.jsrPackages.get("@htbin/htbin");
    assert.equal(uploaded?.version, version);
    assert.ok(uploaded?.files.has("/src/runtime.ts"));
    for (const path of uploaded?.files.keys() ?? []) {
      assert.ok(publish.include.some((part: string) => `${path}/`.startsWith(`/${part}/`)), path);
    }
    // What only this repository knows is replaced by what everybody can get.
    for (const [path, bytes] of uploaded?.files ?? []) {
      const code = new TextDecoder().decode(bytes);
      const left = Object.keys(imports).filter((name) =>
        code.includes(`from "${name}"`) || code.includes(`import("${name}")`)
      );
      if (/\.[jt]s$/.test(path)) assert.deepEqual(left, [], path);
    }
  });
}
