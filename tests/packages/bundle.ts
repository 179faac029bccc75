/**
 * What bundlers make of the package: users pay for what they import, and nothing that is needed is dropped.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { Fixture } from "./_fixture.ts";
import { programs, run } from "./_run.ts";

/** In bytes, minified, without the table of media types. */
const BUDGET = 64 * 1024;

interface Bundle {
  readonly folder: string;
  /** Bytes of each module in what is loaded at once, and in what is loaded when it is needed. */
  readonly entry: ReadonlyMap<string, number>;
  readonly later: ReadonlyMap<string, number>;
}

/** Tests the bundles. */
export function testBundles(fixture: () => Fixture): void {
  const program = (name: string) =>
    `import { staticFiles } from "${name}";\n` +
    `const response = await staticFiles({ root: ".", log() {} })(new Request("http://localhost/app.ts"));\n` +
    `console.log(response?.headers.get("content-type"));\n`;

  test("a program that imports staticFiles() has no CGI, no command line, no listing page, and one table of types", async () => {
    const bundle = await build(fixture(), program("htbin"));
    const modules = [...bundle.entry.keys()];
    // Where scripts are is what keeps static files from sending them.
    const unwanted = /\/(?:cgi\/(?!area\.)|cli\/|access\/|listing\w*\.)|\/commander\//;
    assert.deepEqual(modules.filter((path) => unwanted.test(path)), []);
    const tables = [...bundle.entry, ...bundle.later].filter(([path]) =>
      path.endsWith("/media_type_table.js")
    );
    assert.equal(tables.length, 1);
    const size = [...bundle.entry.values()].reduce((sum, bytes) => sum + bytes, 0) -
      (tables[0] as [string, number])[1];
    assert.ok(size < BUDGET, `${size} bytes`);
  });

  for (const [what, name] of [["the package", "htbin"], ["the source", resolve("mod.ts")]] as const) {
    test(`a bundle of ${what} knows its runtime`, async () => {
      const { folder } = await build(fixture(), program(name));
      const { stdout } = await run(programs.bun, [join(folder, "out/app.js")], { cwd: folder });
      assert.match(stdout, /^\S+\/\S+/);
    });
  }
}

async function build(fixture: Fixture, code: string): Promise<Bundle> {
  const folder = await fixture.folder("bundle");
  await mkdir(join(folder, "node_modules"));
  await symlink(resolve("."), join(folder, "node_modules/htbin"));
  await writeFile(join(folder, "app.ts"), code);
  const flags = ["--target=bun", "--splitting", "--minify", "--outdir=out", "--metafile=meta.json"];
  await run(programs.bun, ["build", "app.ts", ...flags], { cwd: folder });
  interface Output {
    readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>;
    readonly imports: readonly { readonly path: string; readonly kind: string }[];
  }
  const { outputs } = JSON.parse(await readFile(join(folder, "meta.json"), "utf8")) as {
    readonly outputs: Readonly<Record<string, Output>>;
  };
  const entry = new Map<string, number>();
  const later = new Map<string, number>();
  const now = new Set(["./app.js"]);
  for (const path of now) {
    for (const { path: next, kind } of outputs[path]?.imports ?? []) {
      if (kind !== "dynamic-import") now.add(next);
    }
  }
  for (const [path, { inputs }] of Object.entries(outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      (now.has(path) ? entry : later).set(input, bytesInOutput);
    }
  }
  return { folder, entry, later };
}
