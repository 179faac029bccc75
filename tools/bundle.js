/**
 * Puts the command together: one file with all that every start needs, and others for what is loaded later. To find and
 * link 200 modules takes a runtime up to 100 ms, and each file one.
 */

import { readFileSync } from "node:fs";
import { basename, dirname, join, normalize, relative } from "node:path";
import { rolldown } from "rolldown";

const RUNTIMES = ["deno", "bun", "node"];

/**
 * Writes the command to `folder`: `source` by its own name, the rest to `cli/` there. Packages that are `external` stay
 * imports. Not minified, so that an error says where it happened.
 */
export async function bundle(source, folder, external) {
  const start = modulesAtStart(source);
  const build = await rolldown({
    input: source,
    platform: "node",
    external: [/^node:/, ...external],
    plugins: [commander, parts, ascii, facades, later, await codeCaches(external)],
  });
  await build.write({
    dir: folder,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "cli/[name]-[hash].js",
    comments: false,
    codeSplitting: { groups: [{ name: "start", test: (path) => start(relative(".", path)) }] },
  });
}

/**
 * Tells what goes into the first file: what the command imports, what two adapters do, and listings, which every start
 * loads unless told not to. Not the command itself, since it waits for its adapter, and that for whatever it imports.
 */
function modulesAtStart(source) {
  const imports = (path) => importsOf(path).map((name) => normalize(join(dirname(path), name)));
  const imported = imports(source).filter((path) => path !== "adapters/auto.ts");
  const command = closure(imports, [...imported, "src/static/listing_response.ts"]);
  const adapters = RUNTIMES.map((name) => closure(imports, [`adapters/${name}.ts`]));
  return (path) =>
    command.has(path) || adapters.filter((modules) => modules.has(path)).length > 1 ||
    /^node_modules\/deno-std\//.test(path);
}

function closure(imports, paths) {
  const seen = new Set(paths);
  for (const path of seen) for (const other of imports(path)) seen.add(other);
  return seen;
}

/** Of the source's own modules, without those that are imported later, or for their types. */
function importsOf(path) {
  const code = readFileSync(path, "utf8").replace(/^\s*\/\*[\s\S]*?\*\//gm, "");
  const statements = code.matchAll(/^(?:import|export)(?! type\b)(?:[^;"]*?\bfrom)?\s+"(\.[^"]+)"/gm);
  return Array.from(statements, ([, name]) => name);
}

/**
 * `commander` as modules of the language. As it is, it loads the part of the runtime that starts programs, for commands
 * that are programs of their own, and has Deno and Node load what `require()` takes.
 */
const commander = {
  name: "commander",
  transform: {
    filter: { id: /[\\/]node_modules[\\/]commander[\\/]/ },
    handler(code, path) {
      if (path.endsWith("esm.mjs")) return 'export * from "./index.js";';
      const changed = code
        .replace(/^const childProcess = require\('node:child_process'\);$/m, "")
        // It is there without.
        .replace(/^const process = require\('node:process'\);$/m, "")
        .replace(/^const (\w+) = require\('(node:\w+)'\)\.\1;$/gm, "import { $1 } from '$2';")
        .replace(/^const (\w+) = require\('(node:\w+)'\);$/gm, "import $1 from '$2';")
        .replace(/^const (\{.*\}) = require\('(\.\/[\w/]+?)(?:\.js)?'\);$/gm, "import $1 from '$2.js';")
        .replace(/^exports\.(\w+) = \1;/gm, "export { $1 };")
        .replace(/^exports\.(\w+) = /gm, "export const $1 = ");
      if (/\brequire\(|\bexports\./.test(changed)) throw new Error(`Cannot make a module of ${path}`);
      return changed;
    },
  },
};

/**
 * Asks the runtime for its parts in place of importing them. For a module, Node makes a second one of each part with all
 * that the part exports, and for that loads what it would only load when it is used: streams of files, for one. Node 20.16
 * is the first that can be asked so.
 */
const parts = {
  name: "parts",
  generateBundle(_options, chunks) {
    for (const chunk of Object.values(chunks)) {
      const code = partsAsked(chunk.code);
      if (code !== chunk.code) chunk.code = code.replace(/^(?=const .*\bbuiltin\()/m, ASK);
    }
  },
};

function partsAsked(code) {
  // It loads what Node has for source maps, and is for those that cannot be asked.
  const rare = 'import { createRequire } from "node:module";';
  const asked = 'const createRequire = (url) => builtin("node:module").createRequire(url);';
  return code.replace(rare, asked).replace(
    /^import (.+) from "(node:[\w/]+)";$/gm,
    (_import, names, part) => {
      const [, whole, some] = /^(?:\* as )?([\w$]+)?(?:, )?(\{.*\})?$/.exec(names);
      return [whole, some?.replaceAll(" as ", ": ")].filter(Boolean)
        .map((name) => `const ${name} = builtin("${part}");`).join("\n");
    },
  );
}

const ASK = "const builtin = globalThis.process.getBuiltinModule ?? " +
  '(await import("node:module")).createRequire(import.meta.url);\n';

/** V8 keeps a text with one character beyond Latin-1 in two bytes for each, and takes longer to read it: escapes do not. */
const ascii = {
  name: "ascii",
  generateBundle(_options, chunks) {
    for (const chunk of Object.values(chunks)) {
      if (/\bString\.raw`[^`]*[^\0-\x7f]/.test(chunk.code)) throw new Error("Cannot escape in a raw text");
      chunk.code = chunk.code.replace(
        /[^\0-\x7f]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    }
  },
};

/**
 * What is in the first file all the same needs none of its own for being imported later: that would say where it is, and
 * take half a millisecond.
 */
const facades = {
  name: "facades",
  generateBundle(_options, chunks) {
    for (const [path, { code }] of Object.entries(chunks)) {
      const [, names, source] = /^export \{ (.+) \} from "\.\/(.+)";\s*$/.exec(code) ?? [];
      const target = Object.values(chunks).find(({ fileName }) =>
        fileName === join(dirname(path), source ?? "")
      );
      if (target === undefined) continue;
      const locals = new Map(
        pairs(/^export \{ (.+) \};$/m.exec(target.code)[1]).map(([local, name]) => [name, local]),
      );
      const values = pairs(names).map(([name, as]) => [as, name, locals.get(name)]);
      const own = `Promise.resolve({ ${values.map(([as, , local]) => `${as}: ${local}`).join(", ")} })`;
      const others = `import("./${source}").then((all) => ({ ${
        values.map(([as, name]) => `${as}: all.${name}`).join(", ")
      } }))`;
      for (const chunk of Object.values(chunks)) {
        chunk.code = chunk.code.replace(
          `import("./${basename(path)}")`,
          () => chunk === target ? own : others,
        );
      }
      delete chunks[path];
    }
  },
};

/**
 * What only a module may say stands in lines of its own at a file's start: what it imports, now and later. The rest is the
 * same as a script, which is what code is kept of (`adapters/shared/command_parts.ts`).
 */
const later = {
  name: "later",
  generateBundle(_options, chunks) {
    for (const chunk of Object.values(chunks).filter(({ isEntry }) => !isEntry)) {
      const [head] = /^(?:import .*\n|const builtin = .*\n)*/.exec(chunk.code);
      const names = new Set();
      const body = chunk.code.slice(head.length).replace(/\bimport\("([^"]+)"\)/g, (_import, name) => {
        names.add(name);
        return `importLater("${name}")`;
      }).replace(/\bimport\.meta\b/g, "importMeta");
      const imports = Array.from(names, (name) => `"${name}": () => import("${name}")`).join(", ");
      const meta = /\bimportMeta\b/.test(body) ? "const importMeta = import.meta;\n" : "";
      chunk.code = head + (imports && `const importLater = (name) => ({ ${imports} })[name]();\n`) + meta +
        body;
    }
  },
};

/**
 * Has Node and Bun load the command's files by way of `adapters/…/code_cache.ts`, which are put into the first one. That
 * one can import none of them, then, and asks for them. Packages are named where publishing sees it.
 */
async function codeCaches(packages) {
  const [node, bun] = await Promise.all(["node", "bun"].map(async (name) => {
    const build = await rolldown({ input: `adapters/${name}/code_cache.ts`, external: /^node:/ });
    const { output: [{ code }] } = await build.generate({ format: "esm", comments: false });
    return partsAsked(code).replace(/^export .*$/m, "").trimEnd();
  }));
  const imports = packages.map((name) => `"${name}": () => import("${name}")`).join(", ");
  const loaders = `const packages = { ${imports} };
const builtin = globalThis.process?.getBuiltinModule;
const cached = !builtin || "Deno" in globalThis ? undefined : "Bun" in globalThis ? (() => {
${bun}
	return loadCached(import.meta.url, packages);
})() : (() => {
${node}
	return loadCached(import.meta.url, packages);
})();
`;
  return {
    name: "code-caches",
    generateBundle(_options, chunks) {
      const entry = Object.values(chunks).find(({ isEntry }) => isEntry);
      entry.code = entry.code
        .replace(
          /^import \{ (.+) \} from ("\.\/cli\/start-.+");$/m,
          (_import, names, file) =>
            `const { ${names.replaceAll(" as ", ": ")} } = await (cached?.(${file}) ?? import(${file}));`,
        )
        .replace(/import\(("\.\/cli\/(?:node|bun)-.+?")\)/g, "(cached?.($1) ?? import($1))")
        .replace(/(?<=^#!.*\n)/, () => loaders);
    },
  };
}

/** Of `a as b, c`: `[["a", "b"], ["c", "c"]]`. */
function pairs(names) {
  return names.split(", ").map((name) => name.split(" as ")).map(([local, name = local]) => [local, name]);
}
