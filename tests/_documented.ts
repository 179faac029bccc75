/**
 * The examples of the documentation: what docstrings and the pages in `docs/` show, ready to run.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { compiled, withSource } from "./_example.ts";

/** A piece of code that runs by itself. */
export interface Example {
  /** File and line that it stands at. */
  readonly place: string;
  readonly code: string;
}

/** Pages whose code runs by itself, from its first line to its last. */
const PAGES = ["docs/from-http-server.md", "docs/hono.md", "docs/cgi-script.md"];

/** All of them. */
export function documentedExamples(): readonly Example[] {
  const sources = ["mod.ts", ...sourcesBelow("src"), ...sourcesBelow("adapters")];
  return [
    ...sources.flatMap((path) => examplesIn(path, / \* ```ts\n((?: *\*.*\n)*?) *\* ```/g, withoutStars)),
    ...PAGES.flatMap((path) => examplesIn(path, /^```ts\n([^]*?)^```/gm, (code) => code)),
  ];
}

function examplesIn(path: string, pattern: RegExp, clean: (block: string) => string): Example[] {
  const text = readFileSync(path, "utf8");
  return Array.from(text.matchAll(pattern), ({ 1: block = "", index }) => ({
    place: `${path}:${text.slice(0, index).split("\n").length}`,
    code: clean(block),
  }));
}

function withoutStars(block: string): string {
  return block.replace(/^ *\* ?/gm, "");
}

function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sourcesBelow(path) : path.endsWith(".ts") ? [path] : [];
  });
}

/**
 * Writes the examples as modules that this runtime can import, in `folder`, below the repository so that their imports
 * are found. Returns the modules' paths, in the same order.
 */
export function writeExamples(examples: readonly Example[], folder: string): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const paths = examples.map((_example, at) => resolve(folder, `example_${at}.ts`));
  examples.forEach(({ code }, at) => writeFileSync(paths[at] as string, `${withSource(code)}\nexport {};\n`));
  if (!compiled) return paths;
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  execFileSync(process.execPath, [
    resolve("node_modules/typescript/bin/tsc"),
    ...["--noCheck", "--target", "es2022", "--module", "nodenext", "--ignoreConfig"],
    ...paths,
  ]);
  return paths.map((path) => path.replace(/ts$/, "js"));
}
