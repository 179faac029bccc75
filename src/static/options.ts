/**
 * What `staticFiles()` takes.
 *
 * @module
 */

import {
  either,
  flag,
  hook,
  list,
  map,
  needed,
  number,
  record,
  service,
  type Shape,
  text,
  word,
} from "../check_options.ts";
import type { RenderError } from "../error_page.ts";
import type { Log } from "../log/events.ts";
import type { FileSystem } from "../runtime.ts";

/** One name in a listing. */
export interface ListingEntry {
  /** The decoded name, without a slash. */
  readonly name: string;
  /** What the name leads to. */
  readonly type: "file" | "directory";
  /** In bytes; `null` for a directory. */
  readonly size: number | null;
  /** Last modification in milliseconds since 1970, or `null` where it is not known. */
  readonly mtimeMs: number | null;
  /** Whether the name is a symbolic link. */
  readonly link: boolean;
}

/** What a listing can be sorted by. */
export type ListingSort = "name" | "size" | "date";

/** What a listing page is made from. */
export interface Listing {
  /** Decoded URL path of the folder, with a slash at its end. */
  readonly path: string;
  /** Whether there is a folder above it that this server shows. */
  readonly parent: boolean;
  /** The entries of this page, folders first, sorted. */
  readonly entries: readonly ListingEntry[];
  /** What the entries are sorted by. */
  readonly sort: ListingSort;
  /** Which way. */
  readonly order: "asc" | "desc";
  /** What names are narrowed down to (`?q=`); empty when they are not. */
  readonly filter: string;
  /** Which page of the folder this is, from 1. */
  readonly page: number;
  /** How many pages there are; at least 1. */
  readonly pages: number;
  /** How many entries a page holds. */
  readonly limit: number;
  /** How many names there are on all pages. */
  readonly total: number;
  /** The segments of `path` above the folder that is served: they have no page of their own here. */
  readonly mount: string;
  /** The request that it answers. */
  readonly request: Request;
}

/** Headers by path: the first rule, in order, wins for each header name. */
export interface HeaderRule {
  /**
   * A path with `*` (within a segment) and `**` (any segments): `/assets/**`, `*.html`. Without a slash: the file's name.
   * It is compared with the path of the file that is sent (`/sub/index.html` for `/sub/`), and where none is sent
   * (listings, redirects, errors) with the path of the request, both below the mount.
   */
  readonly path: string;
  /**
   * They take the place of this server's own, `Vary` is added to. Those that frame or validate a message
   * (`Content-Length`, `ETag`) cannot be set; those that describe a body (`Content-*`) go with files only.
   */
  readonly headers: Readonly<Record<string, string>>;
}

/** How long answers may be reused. */
export interface CacheOptions {
  /** `Cache-Control` for all that no other rule names, or seconds for `max-age`. @default {"no-cache"} */
  readonly default?: string | number;
  /**
   * Paths (as in {@linkcode HeaderRule}) of files that never change under their name; they get
   * `public, max-age=31536000, immutable`. `true` takes names with a fingerprint: `app.3f9a2c1b.js`, `app-BX3kf92a.css`.
   * @default {[]}
   */
  readonly immutable?: readonly string[] | true;
}

/** What small files may take of the memory. */
export interface MemoryOptions {
  /** Most that all of them take together, in bytes. @default {67108864} */
  readonly maxBytes?: number;
  /** Most files. @default {10000} */
  readonly maxFiles?: number;
  /** Most that a single file takes, in bytes: of larger ones, only the headers are kept. @default {1048576} */
  readonly maxFileBytes?: number;
  /**
   * How long a file is taken to be what it was without another look at it, in milliseconds (as nginx's
   * `open_file_cache_valid`). With 0, no answer is ever out of date. @default {0}
   */
  readonly trustMs?: number;
}

/**
 * Options of `staticFiles()`.
 *
 * @example
 * ```ts
 * import { type CacheOptions, type HeaderRule, type MemoryOptions, staticFiles, type StaticOptions } from "htbin";
 * import type { Listing, ListingEntry, ListingSort } from "htbin";
 *
 * const cache: CacheOptions = { default: 60, immutable: true };
 * const rules: HeaderRule[] = [{ path: "*.css", headers: { "x-content-type-options": "nosniff" } }];
 * const memory: MemoryOptions = { maxBytes: 1_000_000 };
 * const bySize: ListingSort = "size";
 * const line = ({ name, size }: ListingEntry) => `${name} ${size}\n`;
 * const options: StaticOptions = {
 *   root: "examples/site",
 *   cache,
 *   headers: rules,
 *   memory,
 *   listing: true,
 *   renderListing: ({ entries, sort }: Listing) =>
 *     new Response(entries.map(line).join("") + (sort === bySize ? "by size" : "")),
 * };
 * const handler = staticFiles(options);
 * const css = await handler(new Request("http://localhost/style.css"));
 * console.assert(css?.headers.get("cache-control") === "max-age=60");
 * const listing = await handler(new Request("http://localhost/files/?sort=size"));
 * console.assert((await listing?.text())?.includes("jabberwocky.txt"));
 * ```
 */
export interface StaticOptions {
  /**
   * The folder that is served, or several laid over each other: the first that has a name wins. A single file answers
   * `/`. Relative paths start at the working directory.
   */
  readonly root: string | readonly string[];
  /** URL path that `root` stands for, when no router says it (`connection.mount`). @default {""} */
  readonly mount?: string;
  /**
   * Pass on (`undefined`) what this handler would answer 404, 405 or 501, and OPTIONS and paths with doubled slashes. For
   * middleware. @default {false}
   */
  readonly fallthrough?: boolean;
  /** Names that answer for their folder, in order. @default {["index.html", "index.htm"]} */
  readonly index?: readonly string[];
  /** Show folders that have no index. @default {false} */
  readonly listing?: boolean;
  /** The page for a listing, in place of the built-in one (HTML only; JSON and text stay). */
  readonly renderListing?: (listing: Listing) => Response | Promise<Response>;
  /**
   * Serve names that begin with a dot. `.well-known` is always served. `false` answers 404, `"deny"` 403, both also
   * where nothing is. @default {false}
   */
  readonly dotfiles?: boolean | "deny";
  /**
   * Serve what lies outside `root` behind a symbolic link. `false` serves what links inside `root` lead to, `"never"`
   * nothing behind any link below `root`. @default {false}
   */
  readonly followSymlinks?: boolean | "never";
  /**
   * Files and folders that are neither served nor listed: a name (`notes.txt`) wherever it is, or a path from `root`
   * (`/private`). @default {[]}
   */
  readonly hide?: readonly string[];
  /** Folders below `root` that hold scripts and are never served, as in `CgiOptions`. @default {[]} */
  readonly cgiDirectories?: readonly string[];
  /** Endings of script files, which are never served, nor are compressed forms of them (`.cgi.gz`). @default {[]} */
  readonly cgiExtensions?: readonly string[];
  /** Answer 501 "Can only POST to CGI scripts" to POST, as Python's CGI server did, in place of 405. @default {false} */
  readonly postIsForCgi?: boolean;
  /** Serve `/page` from `page.html`, and redirect `/page.html` to `/page`. @default {false} */
  readonly cleanUrls?: boolean;
  /**
   * Answer navigations (`Accept: text/html`, a last segment without a dot) to nowhere with this file. `true`:
   * `index.html`. @default {false}
   */
  readonly spa?: boolean | string;
  /** File below `root` for the body of 404 answers. @default {false} */
  readonly notFoundPage?: string | false;
  /** Serve `name.zst`, `name.br`, `name.gz` beside `name` to clients that take them. @default {false} */
  readonly precompressed?: boolean;
  /** Compress on the fly what has no fresh precompressed file. @default {false} */
  readonly compress?: boolean;
  /** A `Cache-Control` value for all files, seconds for `max-age`, or rules. @default {"no-cache"} */
  readonly cache?: string | number | CacheOptions;
  /**
   * Keep small files in memory. Each answer is preceded by a look at the file, so that none is out of date. `false` keeps
   * none. @default {{}}
   */
  readonly memory?: false | MemoryOptions;
  /** Headers by path. @default {[]} */
  readonly headers?: readonly HeaderRule[];
  /**
   * Media types by file ending, before the built-in table: `{ ".foo": "text/x-foo" }`. Or a function from a file's name
   * to its type; where it returns `null` or `undefined`, that is looked up in the table. @default {{}}
   */
  readonly types?: Readonly<Record<string, string>> | ((name: string) => string | null | undefined);
  /**
   * Says which path below `root` answers for the path of a request: both decoded, with a slash at their start, without
   * the mount; `null` for none. What comes out is looked up like any other path: hidden names stay hidden, and nothing
   * outside of `root` is served. @default {the same path}
   */
  readonly rewrite?: (path: string, request: Request) => string | null;
  /** Media type of files with an unknown ending. @default {"application/octet-stream"} */
  readonly defaultType?: string;
  /** Renders error pages. @default {errorPage} */
  readonly renderError?: RenderError;
  /** Gets what went wrong. @default {failures to console.error} */
  readonly log?: Log;
  /** Where files are read. @default {the runtime's files} */
  readonly fileSystem?: FileSystem;
}

/** What each option of `staticFiles()` may be. */
export const STATIC_OPTIONS: Shape<StaticOptions> = {
  root: either(text, list(text)),
  mount: text,
  fallthrough: flag,
  index: list(text),
  listing: flag,
  renderListing: hook,
  dotfiles: either(flag, word("deny")),
  followSymlinks: either(flag, word("never")),
  hide: list(text),
  cgiDirectories: list(text),
  cgiExtensions: list(text),
  postIsForCgi: flag,
  cleanUrls: flag,
  spa: either(flag, text),
  notFoundPage: either(text, word(false)),
  precompressed: flag,
  compress: flag,
  cache: either(
    text,
    number,
    record<CacheOptions>({ default: either(text, number), immutable: either(list(text), word(true)) }),
  ),
  memory: either(
    word(false),
    record<MemoryOptions>({ maxBytes: number, maxFiles: number, maxFileBytes: number, trustMs: number }),
  ),
  headers: list(record<HeaderRule>({ path: needed(text), headers: needed(map(text)) })),
  types: either(hook, map(text)),
  rewrite: hook,
  defaultType: text,
  renderError: hook,
  log: hook,
  fileSystem: service,
};
