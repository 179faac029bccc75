/**
 * The parts of the command as scripts: what runtimes keep compiled code of. What is read here is what `tools/bundle.js`
 * writes: modules that say at the start, line by line, what they import, and at the end what they export.
 *
 * @module
 */

import { readFileSync, statSync } from "node:fs";
import { process } from "./process.ts";

/** Imports a part of the command, a package or a part of the runtime. */
// deno-lint-ignore no-explicit-any
export type Load = (name: string) => Promise<any>;

/** Packages that parts may ask for. */
export type Packages = Readonly<Record<string, () => Promise<unknown>>>;

/** A part as a script. */
export interface Part {
  readonly imports: readonly string[];
  /** A function: {@linkcode Run}. */
  readonly code: string;
}

/**
 * Runs a part, with what imports more, what asks for parts of the runtime, what is `import.meta` in a module, and what the
 * parts export that it imports.
 */
export type Run = (
  importLater: Load,
  builtin: typeof process.getBuiltinModule,
  importMeta: { readonly url: string },
  ...imported: readonly unknown[]
) => unknown;

/** Loads parts once, as `open` has them. `url` is that of the command's first file. */
export function loadParts(
  url: string,
  packages: Packages,
  open: (file: string) => { readonly imports: readonly string[]; readonly run: Run },
): Load {
  const loaded = new Map<string, Promise<unknown>>();
  return load;

  function load(name: string): Promise<unknown> {
    if (name.startsWith("node:")) return Promise.resolve(process.getBuiltinModule(name));
    if (!name.startsWith("./")) return packages[name]!();
    const file = name.slice(name.lastIndexOf("/") + 1);
    const known = loaded.get(file) ?? evaluate(file);
    loaded.set(file, known);
    return known;
  }

  async function evaluate(file: string): Promise<unknown> {
    const { imports, run } = open(file);
    return run(load, process.getBuiltinModule, { url }, ...await Promise.all(imports.map(load)));
  }
}

/** Reads a part. */
export function readPart(path: string): Part {
  const source = readFileSync(path, "latin1");
  const imports: string[] = [];
  const names = ["importLater", "builtin", "importMeta"];
  let start = 0;
  let lines = 0;
  for (
    ;
    /^(?:import|const (?:importLater|builtin|importMeta) =) /.test(source.slice(start, start + 24));
    lines++
  ) {
    const end = source.indexOf("\n", start);
    if (source.startsWith("import ", start)) {
      const [values, name] = source.slice(start + "import ".length, end - '";'.length).split(' from "');
      imports.push(name!);
      names.push(values!.replaceAll(" as ", ": "));
    }
    start = end + 1;
  }
  const end = source.lastIndexOf("export {");
  const values = source.slice(end + 8, source.lastIndexOf("}")).replace(/([\w$]+) as ([\w$]+)/g, "$2: $1");
  // With as many lines as the module: errors say where they happened.
  const head = `function (${names.join(", ")}) {${"\n".repeat(lines)}`;
  return { imports, code: `${head}${source.slice(start, end)}return {${values}}; }` };
}

/**
 * The folder for what this program compiles of the command that is in `home`; `null` where nothing is to be kept. Engines
 * look at their own versions and flags, which another build may share; taking what that one compiled could end the process.
 *
 * `NODE_DISABLE_COMPILE_CACHE` is Node's own variable for its own cache.
 */
export function cacheFolder(home: string, name: string, version: string): string | null {
  if (process.env["NODE_DISABLE_COMPILE_CACHE"]) return null;
  try {
    const { size, mtimeMs } = statSync(process.execPath);
    return `${home}.cache/${[name, version, process.arch, size, mtimeMs].join("-")}`;
  } catch {
    // Node may have been forbidden to look at itself.
    return null;
  }
}
