/**
 * The manifests and the source say the same: names, versions, entry points, dependencies; and the core is portable.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { VERSION } from "../src/version.ts";

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly sideEffects: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly imports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
}

interface JsrJson {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly publish: { readonly include: readonly string[] };
}

const packageJson: PackageJson = readJson("package.json");
const jsrJson: JsrJson = readJson("jsr.json");

/** Everything that is published, and what each file imports. */
const modules: ReadonlyMap<string, readonly string[]> = new Map(
  ["mod.ts", "cli.ts", ...filesBelow("src"), ...filesBelow("adapters")].map((
    path,
  ) => [path, importsOf(path)]),
);

test("there is one name and one version", () => {
  assert.equal(packageJson.name, "htbin");
  assert.equal(jsrJson.name, "@htbin/htbin");
  assert.match(VERSION, /^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/);
  assert.equal(packageJson.version, VERSION);
  assert.equal(jsrJson.version, VERSION);
  const lock = readJson<{ packages: Record<string, PackageJson> }>("package-lock.json").packages[""];
  assert.equal(lock?.name, packageJson.name);
  assert.equal(lock?.version, VERSION);
  assert.deepEqual(lock?.dependencies, packageJson.dependencies);
  assert.deepEqual(lock?.devDependencies, packageJson.devDependencies);
});

test("the lockfile is whole: every platform's packages are in it, and no registry's address", () => {
  type Locked = {
    readonly optionalDependencies?: Readonly<Record<string, string>>;
    readonly resolved?: string;
  };
  const { packages } = readJson<{ packages: Record<string, Locked> }>("package-lock.json");
  for (const [path, { optionalDependencies = {}, resolved }] of Object.entries(packages)) {
    assert.equal(resolved, undefined, path);
    // npm leaves out what it could not download, and `npm ci` then refuses the file.
    for (const name of Object.keys(optionalDependencies)) assert.ok(`node_modules/${name}` in packages, name);
  }
});

test("deno.json has neither name nor version, so that publishing with it fails instead of winning over jsr.json", () => {
  const denoJson = readJson<Record<string, unknown>>("deno.json");
  for (const key of ["name", "version", "exports", "imports"]) assert.ok(!(key in denoJson), key);
});

test("there is one license", () => {
  assert.equal(packageJson.license, "MIT");
  assert.equal(jsrJson.license, "MIT");
  assert.match(readFileSync("LICENSE", "utf8"), /^MIT License/);
});

test("jsr.json and package.json export the same modules, and they are there; the command is an export for JSR, which has no other", () => {
  const { "./cli": command, ...exports } = jsrJson.exports;
  assert.equal(command, `./${packageJson.bin["htbin"]}`);
  assert.deepEqual(Object.keys(packageJson.exports), Object.keys(exports));
  for (const [name, source] of Object.entries(exports)) {
    const compiled = source.replace(/^\.\//, "./dist/").replace(/\.ts$/, "");
    assert.deepEqual(packageJson.exports[name], { types: `${compiled}.d.ts`, default: `${compiled}.js` });
    assert.ok(existsSync(source), source);
  }
});

test("every runtime's adapter is exported", () => {
  for (const name of readdirSync("adapters").filter((name) => name.endsWith(".ts"))) {
    assert.equal(jsrJson.exports[`./${name.replace(/\.ts$/, "")}`], `./adapters/${name}`);
  }
});

test("the command is what npm installs, and starts by itself", () => {
  assert.deepEqual(packageJson.bin, { htbin: "dist/cli.js" });
  assert.ok(readFileSync("cli.ts", "utf8").startsWith("#!/usr/bin/env node\n"));
});

test("modules that do something when they are imported are declared, for bundlers", () => {
  const acting = ["adapters/auto.ts", "adapters/shared/auto_script.ts", "cli.ts", "mod.ts"];
  assert.deepEqual(
    packageJson.sideEffects,
    // The source too: Bun and Deno bundle it, in a checkout and as a git dependency.
    [...acting.map((path) => `./dist/${path.replace(/\.ts$/, ".js")}`), ...acting.map((path) => `./${path}`)],
  );
  const bare = [...modules].flatMap(([path]) => sideEffectImportsOf(path).map((name) => resolve(path, name)));
  for (const path of bare) assert.ok(acting.includes(path), path);
});

test("everything that jsr.json exports can be reached from what it publishes", () => {
  const seen = new Set<string>();
  const queue = Object.values(jsrJson.exports).map((path) => normalize(path));
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    assert.ok(jsrJson.publish.include.some((part) => path === part || path?.startsWith(`${part}/`)), path);
    for (const name of modules.get(path) ?? []) {
      if (name.startsWith(".")) queue.push(resolve(path, name));
    }
  }
  // dist/ is made by the build.
  for (const part of jsrJson.publish.include) assert.ok(part.startsWith("dist/") || existsSync(part), part);
  for (const part of packageJson.files) assert.ok(part === "dist" || existsSync(part), part);
});

test("every #std import is listed for JSR, typed for the compiler and in the npm package, and nothing else is", () => {
  const used = specifiers((name) => name.startsWith("#std/"));
  const listed = Object.keys(jsrJson.imports).filter((name) => name.startsWith("#std/")).sort();
  const typed = filesBelow("types/std").map((path) =>
    path.replace("types/std", "#std").replace(/\.d\.ts$/, "")
  ).sort();
  assert.deepEqual(listed, used);
  assert.deepEqual(typed, used);
  assert.deepEqual(packageJson.imports["#std/*"], { types: "./types/std/*.d.ts", default: "deno-std/*.js" });
  for (const name of used) {
    const [, part = "", path = ""] = /^#std\/([^/]+)\/(.+)$/.exec(name) ?? [];
    const target = `jsr:@std/${part.replaceAll("_", "-")}@VERSION/${path.replaceAll("_", "-")}`;
    assert.equal(jsrJson.imports[name]?.replace(/@\^\d+\.\d+\.\d+/, "@VERSION"), target);
    assert.ok(existsSync(`node_modules/deno-std/${part}/${path}.js`), name);
  }
});

test("every npm dependency is used, and listed for JSR in the same version", () => {
  const used = specifiers((name) => !/^(\.|#|node:)/.test(name)).map((name) => name.split("/")[0] as string);
  const { dependencies, devDependencies } = packageJson;
  // The build puts it into the command, and nothing else imports it.
  const contained = ["commander"];
  for (const [path, names] of modules) {
    assert.ok(path.startsWith("src/cli/") || !names.some((name) => contained.includes(name)), path);
  }
  // deno-std stands behind `#std/`; JSR users get @std itself.
  assert.deepEqual(
    [...new Set([...used, "deno-std"])].sort(),
    [...Object.keys(dependencies), ...contained].sort(),
  );
  for (const name of used) {
    const version = (contained.includes(name) ? devDependencies : dependencies)[name];
    assert.equal(jsrJson.imports[name], `npm:${name}@${version}`);
  }
  for (const name of Object.keys(jsrJson.imports)) {
    assert.ok(name.startsWith("#std/") || used.includes(name), name);
  }
});

test("hono is an optional peer, and nothing imports it: htbin/hono fits any version of it", () => {
  assert.deepEqual(Object.keys(packageJson.peerDependencies), ["hono"]);
  assert.equal(packageJson.peerDependenciesMeta["hono"]?.optional, true);
  for (const [path, names] of modules) assert.ok(!names.some((name) => /^hono\b/.test(name)), path);
});

/** Parts of the runtime that the command has loaded before it listens. */
const LOADED_AT_START: Readonly<Record<"deno" | "bun" | "node", string>> = {
  deno: "buffer fs http module net path stream timers",
  bun: "buffer fs http module net timers",
  node: "buffer diagnostics_channel fs http module net timers",
};

test("the command loads what every start needs and no more: no package but @std, a known part of the runtime", () => {
  for (const [runtime, parts] of Object.entries(LOADED_AT_START)) {
    const loaded = [...loadedBy("cli.ts", `adapters/${runtime}.ts`)];
    const named = (pattern: RegExp) => loaded.filter((name) => pattern.test(name)).sort();
    assert.deepEqual(named(/^node:/), parts.split(" ").map((part) => `node:${part}`), runtime);
    assert.deepEqual(named(/^(?!\.|node:|.*\.ts$)/), ["#std/http/negotiation"], runtime);
    // Each takes Node and Deno a third to half of a millisecond, where they are not put together.
    assert.ok(named(/\.ts$/).length <= MODULES_AT_START, `${runtime}: ${named(/\.ts$/).length} modules`);
    const few =
      /listing_(?:page|response)|tls_front|http2_server|workers|self_signed|cli\/explain|cli\/(?:command_line|program)|src\/cgi\/(?!area|forwarded|ip_address|options)/;
    assert.deepEqual(named(few), [], runtime);
  }
});

/** Files of the source that are loaded then, at most. */
const MODULES_AT_START = 173;

test("the core names no runtime", () => {
  for (const path of modules.keys()) {
    if (path !== "mod.ts" && !path.startsWith("src/")) continue;
    const code = withoutComments(readFileSync(path, "utf8"));
    assert.doesNotMatch(
      code,
      /\b(Deno|Bun|process)\s*[.[]|\bglobalThis\s*\.\s*(Deno|Bun|process)\b|["'`]node:/,
      path,
    );
    for (const name of modules.get(path) ?? []) {
      // The entry points choose the adapter of the runtime that runs.
      if (name.endsWith("adapters/auto.ts")) assert.ok(path === "mod.ts" || path === "src/hono.ts", path);
      else if (name.endsWith("adapters/shared/auto_script.ts")) assert.equal(path, "src/script/mod.ts");
      else assert.ok(!name.includes("adapters/"), `${path} imports ${name}`);
    }
  }
});

test("a script that a server starts loads no server: neither cgi(), staticFiles() and their like, nor Hono", () => {
  const allowed = [
    /^src\/script\/\w+\.ts$/,
    // The seam, and what a host, a path and a proxy are.
    /^src\/(?:runtime|host|request_path)\.ts$/,
    /^src\/cgi\/(?:forwarded|ip_address)\.ts$/,
    /^adapters\/shared\/auto_script\.ts$/,
    /^#std\/http\/status$/,
  ];
  const loaded = loadedBy("src/script/mod.ts");
  assert.ok(loaded.has("src/script/response.ts"));
  for (const path of loaded) assert.ok(allowed.some((pattern) => pattern.test(path)), path);
  // What is for a script without a server, with options, or with an error, is loaded then.
  for (const name of ["command_line", "option_shape"]) assert.ok(!loaded.has(`src/script/${name}.ts`), name);
});

test("a script loads of its runtime what it needs, and no stream before it is used", () => {
  for (const runtime of ["deno", "bun", "node"]) {
    for (const path of loadedBy(`adapters/${runtime}/script.ts`)) {
      // `node:process` would make three streams.
      assert.match(
        path,
        /^node:fs$|^src\/runtime\.ts$|^adapters\/(?:\w+\/(?:script|pipe_input|text_responses)|shared\/(?:node_script|limited_input|divert_console|environment_bytes))\.ts$/,
      );
    }
  }
});

test("the core compiles with no runtime's types", { timeout: 120_000 }, async () => {
  // The shim in .bin needs a shell on Windows; this is what it starts.
  const node = process.versions["bun"] === undefined && !("Deno" in globalThis) ? process.execPath : "node";
  const { stdout } = await promisify(execFile)(node, [
    "node_modules/typescript/bin/tsc",
    "-p",
    "tsconfig.core.json",
  ]);
  assert.equal(stdout, "");
});

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8"));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(path) : path.endsWith(".ts") ? [path] : [];
    })
    .sort();
}

/** The specifiers of all imports, static and dynamic, and of re-exports. */
function importsOf(path: string): string[] {
  const code = withoutComments(readFileSync(path, "utf8"));
  const pattern = /(?<=[\w}*]\s)from\s+"([^"]+)"|^import\s+"([^"]+)"|(?<!")\bimport\(\s*"([^"]+)"/gm;
  return Array.from(code.matchAll(pattern), ([, from, bare, dynamic]) => (from ?? bare ?? dynamic) as string);
}

/** All that is loaded with modules: without dynamic imports and types. */
function loadedBy(...entries: readonly string[]): Set<string> {
  const seen = new Set(entries);
  for (const path of seen) {
    if (!path.endsWith(".ts")) continue;
    const code = withoutComments(readFileSync(path, "utf8"));
    const statements = code.matchAll(/^(?:import|export)(?! type\b)(?:[^;"]*?\bfrom)?\s+"([^"]+)"/gm);
    for (const [, name = ""] of statements) seen.add(name.startsWith(".") ? resolve(path, name) : name);
  }
  return seen;
}

function sideEffectImportsOf(path: string): string[] {
  const code = withoutComments(readFileSync(path, "utf8"));
  return Array.from(code.matchAll(/^\s*import\s+"(\.[^"]+)"/gm), ([, name]) => name as string);
}

function resolve(from: string, specifier: string): string {
  return normalize(join(dirname(from), specifier));
}

/** The specifiers in the published source that fit, sorted, each once. */
function specifiers(fits: (name: string) => boolean): string[] {
  return [...new Set([...modules.values()].flat().filter(fits))].sort();
}

/** Enough for this source: comments that begin a line. A "/*" elsewhere is in a string. */
function withoutComments(code: string): string {
  return code.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "");
}
