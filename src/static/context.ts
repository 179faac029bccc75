/**
 * The options of `staticFiles()`, checked and resolved once, for all requests.
 *
 * @module
 */

import { checkOptions } from "../check_options.ts";
import { errorRenderer, type ShowError } from "../error_page.ts";
import { consoleLog } from "../log/console.ts";
import type { Log } from "../log/events.ts";
import { currentRuntime } from "../runtime.ts";
import { cacheControl } from "./cache_control.ts";
import { platformCodings } from "./compression.ts";
import type { DirectoryView } from "./directory.ts";
import type { Coding } from "./encodings.ts";
import { type ApplyHeaders, headerRules } from "./header_rules.ts";
import { hiddenPaths } from "./hidden.ts";
import { createLookup, type Lookup } from "./lookup.ts";
import { createMemory, type Memory } from "./memory.ts";
import { type MediaTypes, mediaTypes } from "./media_type.ts";
import { type MemoryOptions, STATIC_OPTIONS, type StaticOptions } from "./options.ts";
import { type Choose, formTeller, representationChooser } from "./representation.ts";
import { rootSource } from "./roots.ts";
import { cgiAreas } from "../cgi/area.ts";
import { parseMount } from "./target.ts";

/** Everything a request needs to know of the options. */
export interface StaticContext {
  readonly lookup: Lookup;
  readonly view: DirectoryView;
  readonly choose: Choose;
  /** `null` when nothing is kept. */
  readonly memory: Memory | null;
  readonly typeOf: MediaTypes;
  /** Codings to compress to on the fly, best first; none when that is off. */
  readonly codings: readonly Coding[];
  readonly cacheControl: (path: string) => string;
  /** `null` without rules. */
  readonly applyHeaders: ApplyHeaders | null;
  /** Segments below the root, or `null`. */
  readonly spa: readonly string[] | null;
  /** Segments below the root, or `null`. */
  readonly notFoundPage: readonly string[] | null;
  readonly mount: readonly string[];
  readonly rewrite: StaticOptions["rewrite"];
  readonly cleanUrls: boolean;
  readonly fallthrough: boolean;
  readonly postIsForCgi: boolean;
  /** What makes listings; `null` when there are none. */
  readonly listing: Promise<typeof import("./listing_response.ts")> | null;
  readonly renderListing: StaticOptions["renderListing"];
  readonly renderError: ShowError;
  readonly log: Log;
}

/** Resolves the options; throws a `TypeError` for one that makes no sense. */
export function createContext(options: StaticOptions): StaticContext {
  checkOptions("staticFiles()", options, STATIC_OPTIONS);
  const { log = consoleLog(), listing = false } = options;
  const { precompressed = false } = options;
  const codings = options.compress ? platformCodings() : [];
  const fileSystem = options.fileSystem ?? currentRuntime().files;
  const areas = cgiAreas(options.cgiDirectories ?? [], options.cgiExtensions ?? []);
  const roots = rootSource(fileSystem, rootPaths(options.root), areas, (path) => {
    warn(log, `nothing is served from ${path}: no such folder or file`);
  });
  const lookup = createLookup({
    fileSystem,
    roots,
    areas,
    isHidden: hiddenPaths(options.hide ?? []),
    dotfiles: options.dotfiles ?? false,
    followSymlinks: options.followSymlinks ?? false,
    onEscape: escapeReporter(log),
  });
  const typeOf = mediaTypes(options.types ?? {}, options.defaultType ?? "application/octet-stream");
  const forms = { lookup, typeOf, precompressed, codings };
  const { memory = {} } = options;
  const observe = fileSystem.observe?.bind(fileSystem);
  return {
    lookup,
    view: { fileSystem, lookup, index: indexNames(options.index), listing },
    choose: representationChooser(forms),
    // What is rewritten depends on more than what answers are remembered by.
    memory: memory === false || observe === undefined || options.rewrite !== undefined
      ? null
      : createMemory({ ...MEMORY, ...memory }, { observe, roots, formOf: formTeller(forms) }),
    codings,
    typeOf,
    cacheControl: cacheControl(options.cache ?? "no-cache"),
    applyHeaders: headerRules(options.headers ?? []),
    spa: filePath("spa", options.spa === true ? "index.html" : options.spa),
    notFoundPage: filePath("notFoundPage", options.notFoundPage),
    mount: parseMount(options.mount ?? ""),
    rewrite: options.rewrite,
    cleanUrls: options.cleanUrls ?? false,
    fallthrough: options.fallthrough ?? false,
    postIsForCgi: options.postIsForCgi ?? false,
    listing: listing ? loadListing() : null,
    renderListing: options.renderListing,
    renderError: errorRenderer(options.renderError),
    log,
  };
}

/**
 * A third of the code is for listings, and bundlers leave it to those who want them. Loaded when the handler is made:
 * once descriptors have run out, it could not be.
 */
function loadListing(): NonNullable<StaticContext["listing"]> {
  const loaded = import("./listing_response.ts");
  // Whoever wants a listing hears of it.
  loaded.catch(() => {});
  return loaded;
}

/** What is kept by default. */
const MEMORY: Required<MemoryOptions> = {
  maxBytes: 64 * 1024 * 1024,
  maxFiles: 10_000,
  maxFileBytes: 1024 * 1024,
  trustMs: 0,
};

function rootPaths(root: string | readonly string[]): readonly string[] {
  const paths = typeof root === "string" ? [root] : root;
  if (
    !Array.isArray(paths) || paths.length === 0 ||
    paths.some((path) => typeof path !== "string" || path === "")
  ) {
    throw new TypeError('Cannot serve files without a root: it is the path of a folder, such as "./public"');
  }
  return paths;
}

/**
 * The names of pages that answer for a folder.
 *
 * @throws {TypeError} For what is no list of file names.
 */
export function indexNames(names: readonly string[] = ["index.html", "index.htm"]): readonly string[] {
  // In JavaScript, a string would be taken for the list of its letters.
  if (!Array.isArray(names)) throw badIndex(names as unknown);
  for (const name of names) if (name === "" || name.includes("/")) throw badIndex(name);
  return names;
}

function badIndex(name: unknown): TypeError {
  return new TypeError(
    `Cannot use "${name}" as an index: it is a list of file names, such as ["index.html"]`,
  );
}

function filePath(option: string, path: string | false | undefined): readonly string[] | null {
  if (path === undefined || path === false) return null;
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.length === 0 || segments.includes("..")) {
    throw new TypeError(`Cannot use "${path}" for ${option}: it is the path of a file below the root`);
  }
  return segments;
}

/** Says once for each link that it is not followed, and what to do: the client only sees 404. */
function escapeReporter(log: Log): (segments: readonly string[]) => void {
  const reported = new Set<string>();
  return (segments) => {
    const path = `/${segments.join("/")}`;
    if (reported.has(path) || reported.size >= 100) return;
    reported.add(path);
    warn(log, `not served, a link on the way leads out of the root: ${path} (followSymlinks would serve it)`);
  };
}

function warn(log: Log, message: string): void {
  log({ type: "message", level: "warning", source: "static", message });
}
