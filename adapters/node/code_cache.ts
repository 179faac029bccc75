/**
 * V8's code cache for the command, on Node: what was compiled of its files is kept beside them, and later starts take it
 * from there, as Deno does by itself. To compile them takes half of the time that the command needs to its first answer.
 *
 * `tools/bundle.js` puts this into the command's first file, which loads the others with it. What it reads is what that
 * writes: modules that say at the start, line by line, what they import from each other, and at the end what they export.
 *
 * @module
 */

import { readFileSync, statSync } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { process } from "../shared/process.ts";
import { afterFirstConnection } from "./first_connection.ts";

/** Imports a part of the command, a package or a part of Node. */
export interface Load {
  // deno-lint-ignore no-explicit-any
  (name: string): Promise<any>;
  /** What `import.meta` is in a module. */
  readonly meta: { readonly url: string };
}

/** How long after the first connection it is kept, in milliseconds: what answers a request is compiled by then. */
const PAUSE = 500;

/**
 * Says how to load the parts of the command that `url` is the first file of, and what `packages` import.
 * `NODE_DISABLE_COMPILE_CACHE` is Node's own variable for its own cache; who sets it wants none here, either.
 */
export function loadCached(
  url: string,
  packages: Readonly<Record<string, () => Promise<unknown>>>,
): Load {
  const home = fileURLToPath(new URL(".", url));
  const folder = `${home}cli/`;
  const cache = `${home}.cache/${programName()}/`;
  const cached = !process.env["NODE_DISABLE_COMPILE_CACHE"];
  const loaded = new Map<string, Promise<unknown>>();
  const compiled = new Map<string, Script>();
  const load = Object.assign((name: string) => {
    if (name.startsWith("node:")) return Promise.resolve(process.getBuiltinModule(name));
    if (!name.startsWith("./")) return packages[name]!();
    const file = name.slice(name.lastIndexOf("/") + 1);
    const known = loaded.get(file) ?? evaluate(file);
    loaded.set(file, known);
    return known;
  }, { meta: { url } });
  if (cached) afterFirstConnection(PAUSE, () => void keep(home, cache, compiled));
  return load;

  async function evaluate(file: string): Promise<unknown> {
    const { imports, code } = toScript(readFileSync(folder + file, "latin1"));
    const cachedData = cached ? readIfThere(`${cache}${file}.bin`) : undefined;
    const script = new Script(code, { filename: folder + file, cachedData });
    if (script.cachedDataRejected !== false) compiled.set(file, script);
    return script.runInThisContext()(load, ...await Promise.all(imports.map(load)));
  }

  function readIfThere(path: string): Uint8Array | undefined {
    try {
      return readFileSync(path);
    } catch {
      return undefined;
    }
  }
}

/**
 * Says which Node this is. V8 looks at its own version and flags, which another build may share; taking what that one
 * compiled could end the process.
 */
function programName(): string {
  const { size, mtimeMs } = statSync(process.execPath);
  return ["node", process.version, process.arch, size, mtimeMs].join("-");
}

/** A module as a script whose value is a function: of `load`, and of what the modules export that it imports. */
function toScript(source: string): { readonly imports: readonly string[]; readonly code: string } {
  const imports: string[] = [];
  const names: string[] = [];
  let start = 0;
  while (source.startsWith("import ", start)) {
    const end = source.indexOf('";\n', start);
    const [values, name] = source.slice(start + "import ".length, end).split(' from "');
    imports.push(name!);
    names.push(values!.replaceAll(" as ", ": "));
    start = end + 3;
  }
  const end = source.lastIndexOf("export {");
  const values = source.slice(end + 8, source.lastIndexOf("}")).replace(/([\w$]+) as ([\w$]+)/g, "$2: $1");
  // As long as what they stand for, so that errors say where they happened.
  const body = source.slice(start, end).replaceAll("import(", "loader(").replaceAll(
    "import.meta",
    "loader.meta",
  );
  const head = `"use strict"; (async function (${["loader", ...names].join(", ")}) {`;
  return { imports, code: `${head}${"\n".repeat(imports.length)}${body}return {${values}}; })` };
}

/**
 * Writes what is compiled by now to a folder in `home`. Only where the user owns that, and so that nobody else can change
 * it: V8 runs what is there without another look.
 */
async function keep(home: string, folder: string, compiled: ReadonlyMap<string, Script>): Promise<void> {
  try {
    if (compiled.size === 0 || (await stat(home)).uid !== process.geteuid?.()) return;
    await mkdir(folder, { recursive: true, mode: 0o755 });
    for (const [file, script] of compiled) {
      await writeWhole(`${folder}${file}.bin`, script.createCachedData());
    }
  } catch {
    // A package that cannot be written to starts as it always did.
  }
}

/** Others may start at the same moment, or the machine stop: what they find is whole, or not there. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.${Math.random().toString(36).slice(2)}`;
  try {
    await writeFile(part, bytes, { flag: "wx", mode: 0o644, flush: true });
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
