/**
 * Writes `docs/api.md`, the reference of everything that is exported, from the declarations in `dist/`.
 *
 *     npm run docs                  # builds first
 *     node tools/api.js --check     # only says whether it is up to date, and which symbol no example uses
 */

// deno-lint-ignore-file no-console

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import process from "node:process";

const PAGE = "docs/api.md";

const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const entries = Object.entries(exports).map(([name, { types }]) => ({
  name: normalize(join("htbin", name)),
  ...entryOf(normalize(types)),
}));
const text = page(entries);

if (process.argv[2] === "--check") {
  const problems = symbolsWithoutExample(entries).map((name) => `no example imports ${name}`);
  if (readFileSync(PAGE, "utf8") !== text) problems.push(`${PAGE} is not up to date: npm run docs`);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
} else {
  writeFileSync(PAGE, text);
}

/** What a declaration file exports, in order, and what it says of itself. */
function entryOf(path) {
  const code = readFileSync(path, "utf8");
  return {
    intro: commentOf(/^(?:import [^\n]*\n)*\/\*\*([^]*?)\*\//.exec(code)?.[1] ?? "").text,
    symbols: symbolsOf(path, code),
  };
}

function symbolsOf(path, code) {
  const symbols = Array.from(
    code.matchAll(
      /(?:^\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?^export (?:declare )?(function|interface|type|class|const) (\w+)/gm,
    ),
    ({ 0: { length }, 1: comment = "", 2: kind, 3: name, index }) => {
      const start = index + length - /export [^]*$/.exec(code.slice(index, index + length))[0].length;
      return {
        name,
        path,
        declaration: declarationAt(code, code.indexOf("export", start), kind),
        ...commentOf(comment),
      };
    },
  );
  const imported = new Map();
  for (const { 1: names, 2: from } of code.matchAll(/^import (?:type )?\{([^}]*)\} from "([^"]+)"/gm)) {
    for (const name of namesIn(names)) imported.set(name, from);
  }
  for (const { 1: names, 2: from } of code.matchAll(/^export (?:type )?\{([^}]*)\}(?: from "([^"]+)")?/gm)) {
    for (const name of namesIn(names)) {
      const module = from ?? imported.get(name);
      if (module === undefined) continue;
      const file = normalize(join(dirname(path), module.replace(/\.[jt]s$/, ".d.ts")));
      symbols.push(symbolsOf(file, readFileSync(file, "utf8")).find((symbol) => symbol.name === name));
    }
  }
  return symbols;
}

function namesIn(list) {
  return list.split(",").map((part) => part.trim().replace(/^type /, "")).filter((name) => name !== "");
}

/** The text of a declaration, to its semicolon or closing brace. */
function declarationAt(code, start, kind) {
  const isBlock = kind === "interface" || kind === "class";
  let depth = 0;
  for (let at = start; at < code.length; at++) {
    if (code.startsWith("/*", at)) at = code.indexOf("*/", at) + 1;
    else if ("{([".includes(code[at])) depth++;
    else if ("})]".includes(code[at])) {
      depth--;
      if (isBlock && depth === 0) return code.slice(start, at + 1);
    } else if (code[at] === ";" && depth === 0) return code.slice(start, at + 1);
  }
  throw new Error(`No end of the declaration at ${code.slice(start, start + 80)}`);
}

/** A docstring's text, what it throws, and its examples. */
function commentOf(comment) {
  const lines = comment.replace(/^ *\* ?/gm, "").replace(/\{@link(?:code)? ([^}|]+)(?:\|[^}]*)?\}/g, "`$1`")
    .trim();
  const [before, ...tags] = lines.split(/^(?=@(?:module|throws|example|default|see|param|returns)\b)/m);
  const of = (tag) =>
    tags.filter((part) => part.startsWith(`@${tag}`)).map((part) => part.slice(tag.length + 1).trim());
  return { text: before.trim(), throws: of("throws"), see: of("see"), examples: of("example") };
}

function page(all) {
  const uses = usesOf(all);
  const seen = new Set();
  const parts = all.map(({ name, intro, symbols }) => {
    const elsewhere = [];
    const own = [];
    for (const symbol of symbols) {
      const key = `${symbol.path} ${symbol.name}`;
      if (seen.has(key)) elsewhere.push(`[\`${symbol.name}\`](#${symbol.name.toLowerCase()})`);
      else own.push(symbol);
      seen.add(key);
    }
    return [
      `## ${name}`,
      intro,
      elsewhere.length === 0 ? "" : `Also exported here: ${elsewhere.join(", ")}.`,
      ...own.map((symbol) => section(symbol, uses.get(symbol.name))),
    ].filter((part) => part !== "").join("\n\n");
  });
  return [
    "# API",
    "Everything that the package exports. Made from the docstrings by `npm run docs`; the examples are part of the tests.",
    all.map(({ name }) => `- [${name}](#${name.replace(/\W/g, "")})`).join("\n"),
    ...parts,
  ].join("\n\n") + "\n";
}

function section({ name, text: description, declaration, throws, see, examples }, user) {
  return [
    `### ${name}`,
    description,
    "```ts\n" + declaration.replace(/^export (?:declare )?/, "").replace(/^ {4}/gm, "  ") + "\n```",
    ...throws.map((one) => `Throws ${one.replace(/^\{(\w+)\}\s*/, "`$1`: ")}`),
    ...see.map((one) => `See ${one}`),
    ...examples,
    examples.length > 0 || user === undefined ? "" : `In use: [${user}](#${user.toLowerCase()}).`,
  ].filter((part) => part !== "").join("\n\n");
}

/** Which example imports a symbol: by the symbol's name, the name of the one whose example it is. */
function usesOf(all) {
  const uses = new Map();
  for (const { name, examples } of all.flatMap(({ symbols }) => symbols)) {
    for (const symbol of importsIn(examples.join("\n"))) if (!uses.has(symbol)) uses.set(symbol, name);
  }
  return uses;
}

function importsIn(code) {
  const pattern = /(?:import (?:type )?|const )\{([^}]*)\} (?:from|= await import\() ?"htbin/g;
  return Array.from(code.matchAll(pattern), ([, names]) => namesIn(names)).flat();
}

/** Names that no example imports: nobody has tried that they can be had. */
function symbolsWithoutExample(all) {
  const uses = usesOf(all);
  return [...new Set(all.flatMap(({ symbols }) => symbols.map(({ name }) => name)))].filter((name) =>
    !uses.has(name)
  );
}
