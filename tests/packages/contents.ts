/**
 * What is in the package that npm publishes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import type { Fixture } from "./_fixture.ts";
import { run } from "./_run.ts";

interface Manifest {
  readonly files: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
}

/** Tests the contents. */
export function testContents(fixture: () => Fixture): void {
  test("the package holds its documents, and every file that is reachable from what it exports, and nothing else", () => {
    const { files } = fixture().packed;
    const { bin, exports, files: listed } = manifestOf(fixture());
    const entries = Object.values(exports).flatMap((entry) => [entry.types, entry.default]);
    // JSR has the types of the command, too.
    const commands = Object.values(bin).flatMap((path) => [path, path.replace(/js$/, "d.ts")]);
    const code = reachable(files, [...commands, ...entries].map((path) => join("/", path)));
    const documents = [
      ...listed.filter((name) => name !== "dist").map((name) => `/${name}`),
      "/package.json",
    ];
    assert.deepEqual([...files.keys()].sort(), [...documents, ...code].sort());
  });

  test("every file of the package is made from one that is published on JSR too", () => {
    for (const path of fixture().packed.files.keys()) {
      if (path.startsWith("/dist/") && !isCommand(path)) {
        assert.ok(existsSync(path.slice("/dist/".length).replace(/(\.d)?\.[jt]s$/, ".ts")));
      }
    }
  });

  test("the command is put together of modules that are published on JSR too, and of @std's and commander's", () => {
    const { files } = fixture().packed;
    const parts = [...files.keys()].filter(isCommand);
    const modules = parts.flatMap((path) =>
      Array.from(textOf(files, path).matchAll(/^\/\/ (\S+\.[jt]s)$/gm), ([, module]) => module as string)
    );
    assert.ok(modules.includes("src/cli/main.ts") && modules.includes("adapters/node.ts"));
    // Another copy of src/runtime.ts would not know the errors of the first.
    assert.equal(parts.filter((path) => /\bFileError = class\b/.test(textOf(files, path))).length, 1);
    for (const module of modules) {
      assert.match(module, /^(?:cli\.ts$|src\/|adapters\/|node_modules\/(?:deno-std|commander)\/)/);
      assert.ok(existsSync(module), module);
    }
    // What Node reads before the first answer: each file takes it a millisecond, each 100 KiB two.
    const read = new Set(["/dist/cli.js"]);
    for (const path of read) {
      const code = textOf(files, path);
      const names = importsOf(code).filter((name) => name.startsWith("."));
      const later = Array.from(code.matchAll(/\bimport\("([^"]+)"\)/g), ([, name]) => name as string);
      for (const name of names) {
        if (!later.includes(name) || /\/(?:node|start)-[\w-]+\.js$/.test(name)) {
          read.add(normalize(join(dirname(path), name)));
        }
      }
    }
    const bytes = [...read].reduce((sum, path) => sum + textOf(files, path).length, 0);
    assert.ok(read.size <= 3, [...read].join(" "));
    assert.ok(bytes <= 384_000, `${bytes} bytes`);
    const code = [...read].map((path) => textOf(files, path)).join("\n");
    // Half of all code is for scripts, and what loads modules of CommonJS takes several milliseconds.
    assert.doesNotMatch(code, /^\/\/ src\/cgi\/(?:mod|runner|lookup)\.ts$|\brequire\(/m);
    // As modules, parts of the runtime take Node five milliseconds more.
    assert.doesNotMatch(code, /^(?:import|export) .*"node:/m);
    assert.match(code, /^const \{.*\} = builtin\("node:http"\);$/m);
    // In two bytes for each character, it would take longer to read.
    assert.doesNotMatch(code, /[^\0-\x7f]/);
    // Errors of the program say where they happened.
    assert.ok(code.split("\n").length > 1000);
    assert.match(
      textOf(files, "/dist/cli.js"),
      /^#!.*\n\/\/ @ts-self-types=.*\n\/\/ .*Copyright .* the Deno authors\. MIT license.*\n\/\/ .*TJ Holowaychuk\. MIT license/,
    );
  });

  test("what is imported is a dependency, and what is #std is deno-std", () => {
    const { files } = fixture().packed;
    const { dependencies, imports } = JSON.parse(textOf(files, "/package.json"));
    for (const [path, bytes] of files) {
      if (!path.endsWith(".js") && !path.endsWith(".d.ts")) continue;
      for (const name of importsOf(new TextDecoder().decode(bytes))) {
        if (name.startsWith(".") || name.startsWith("node:")) continue;
        // No declaration needs types that are not in the package.
        assert.ok(path.endsWith(".js"), `${path} imports ${name}`);
        assert.ok(
          name.startsWith("#std/") ? "#std/*" in imports : name in dependencies,
          `${path} imports ${name}`,
        );
      }
    }
  });

  test("docs/api.md is what the docstrings say, and every export is in an example", async () => {
    await run("node", ["tools/api.js", "--check"]);
  });

  test("publint has nothing to say", async () => {
    const { stdout } = await run("npx", ["publint", "--strict", fixture().packed.path]);
    assert.match(stdout, /All good!/);
  });

  // Not a devDependency: it brings a TypeScript of its own, 60 MiB. `.attw.json` says that there is no CommonJS.
  test("are-the-types-wrong has nothing to say", async () => {
    const { stdout } = await run("npx", ["--yes", "@arethetypeswrong/cli@0.18.5", fixture().packed.path]);
    for (const name of Object.keys(manifestOf(fixture()).exports)) {
      assert.ok(stdout.includes(`"${join("htbin", name)}"`));
    }
  });
}

/** The file that npm starts, and those that it loads later. */
function isCommand(path: string): boolean {
  return /^\/dist\/cli(?:\.js$|\/)/.test(path);
}

function manifestOf({ packed }: Fixture): Manifest {
  return JSON.parse(textOf(packed.files, "/package.json"));
}

function reachable(files: ReadonlyMap<string, Uint8Array>, queue: string[]): Set<string> {
  const seen = new Set<string>();
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const name of importsOf(textOf(files, path)).filter((name) => name.startsWith("."))) {
      const file = path.endsWith(".d.ts") ? name.replace(/\.[jt]s$/, ".d.ts") : name;
      queue.push(normalize(join(dirname(path), file)));
    }
  }
  return seen;
}

function importsOf(code: string): string[] {
  return Array.from(
    code.replace(/^\s*\/\*[^]*?\*\//gm, "").matchAll(/(?:\bfrom |^import |\bimport\()"([^"\s]+)"/gm),
    ([, name]) => name as string,
  );
}

function textOf(files: ReadonlyMap<string, Uint8Array>, path: string): string {
  const bytes = files.get(path);
  assert.ok(bytes !== undefined, `${path} is not in the package`);
  return new TextDecoder().decode(bytes);
}
