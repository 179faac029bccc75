/**
 * The parts of the command as scripts: what runtimes keep compiled code of. What is read here is what `tools/bundle.js`
 * writes: modules that say at the start, line by line, what they import from each other, and at the end what they export.
 *
 * @module
 */

import { readFileSync, statSync } from "node:fs";
import { process } from "./process.ts";

/** Imports a part of the command, a package or a part of Node. */
export interface Load {
  // deno-lint-ignore no-explicit-any
  (name: string): Promise<any>;
  /** What `import.meta` is in a module. */
  readonly meta: { readonly url: string };
}

/** Packages that parts may ask for. */
export type Packages = Readonly<Record<string, () => Promise<unknown>>>;

/** A part as a script. */
export interface Part {
  readonly imports: readonly string[];
  /** A function, asynchronous: of {@linkcode Load}, and of what the parts export that it imports. */
  readonly code: string;
}

/** What such a script becomes when it is run. */
export type Run = (load: Load, ...imported: readonly unknown[]) => Promise<unknown>;

/** Loads parts once, as `open` has them, by the names that the command's first file, which is at `url`, has for them. */
export function loadParts(
  url: string,
  packages: Packages,
  open: (file: string) => { readonly imports: readonly string[]; readonly run: Run },
): Load {
  const loaded = new Map<string, Promise<unknown>>();
  const load = Object.assign((name: string) => {
    if (name.startsWith("node:")) return Promise.resolve(process.getBuiltinModule(name));
    if (!name.startsWith("./")) return packages[name]!();
    const file = name.slice(name.lastIndexOf("/") + 1);
    const known = loaded.get(file) ?? evaluate(file);
    loaded.set(file, known);
    return known;
  }, { meta: { url } });
  return load;

  async function evaluate(file: string): Promise<unknown> {
    const { imports, run } = open(file);
    return run(load, ...await Promise.all(imports.map(load)));
  }
}

/** Reads a part. */
export function readPart(path: string): Part {
  const source = readFileSync(path, "latin1");
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
  const body = source.slice(start, end)
    .replaceAll("import(", "loader(").replaceAll("import.meta", "loader.meta");
  const head = `async function (${["loader", ...names].join(", ")}) {`;
  return { imports, code: `${head}${"\n".repeat(imports.length)}${body}return {${values}}; }` };
}

/**
 * A folder's name for what this program compiles. Engines look at their own versions and flags, which another build may
 * share; taking what that one compiled could end the process.
 */
export function programName(name: string, version: string): string {
  const { size, mtimeMs } = statSync(process.execPath);
  return [name, version, process.arch, size, mtimeMs].join("-");
}

/** Whether the command may keep anything: `NODE_DISABLE_COMPILE_CACHE` is Node's own variable for its own cache. */
export function mayKeep(): boolean {
  return !process.env["NODE_DISABLE_COMPILE_CACHE"];
}
