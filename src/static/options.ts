/**
 * What `staticFiles()` takes.
 *
 * @module
 */

import type { RenderError } from "../error_page.ts";
import type { Log } from "../log/events.ts";
import type { FileSystem } from "../runtime.ts";

/** One name in a listing. */
export interface ListingEntry {
  readonly name: string;
  readonly type: "file" | "directory";
  /** In bytes; `null` for a directory. */
  readonly size: number | null;
  /** Last modification in milliseconds since 1970, or `null` where it is not known. */
  readonly mtimeMs: number | null;
  /** Whether the name is a symbolic link. */
  readonly link: boolean;
}

/** What a listing page is made from. */
export interface Listing {
  /** Decoded URL path of the folder, with a slash at its end. */
  readonly path: string;
  /** Whether there is a folder above it that this server shows. */
  readonly parent: boolean;
  readonly entries: readonly ListingEntry[];
  readonly request: Request;
}

/** Headers by path: the first rule, in order, wins for each header name. */
export interface HeaderRule {
  /** A path with `*` (within a segment) and `**` (any segments): `/assets/**`, `*.html`. Without a slash: the file's name. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How long answers may be reused. */
export interface CacheOptions {
  /** `Cache-Control` for all that no other rule names. @default {"no-cache"} */
  readonly default?: string;
  /**
   * Paths (as in {@linkcode HeaderRule}) of files that never change under their name; they get
   * `public, max-age=31536000, immutable`. `true` takes names with a fingerprint: `app.3f9a2c1b.js`, `app-BX3kf92a.css`.
   * @default {[]}
   */
  readonly immutable?: readonly string[] | true;
}

/** Options of `staticFiles()`. */
export interface StaticOptions {
  /** The folder that is served, or several, the first that has a name wins. Relative paths start at the working directory. */
  readonly root: string | readonly string[];
  /** URL path that `root` stands for, when no router says it (`connection.mount`). @default {""} */
  readonly mount?: string;
  /** Pass on (`undefined`) what this handler would answer 404, 405 or 501. For middleware. @default {false} */
  readonly fallthrough?: boolean;
  /** Names that answer for their folder, in order. @default {["index.html", "index.htm"]} */
  readonly index?: readonly string[];
  /** Show folders that have no index. @default {false} */
  readonly listing?: boolean;
  /** The page for a listing, in place of the built-in one (HTML only; JSON and text stay). */
  readonly renderListing?: (listing: Listing) => Response | Promise<Response>;
  /** Serve names that begin with a dot. `.well-known` is always served. @default {false} */
  readonly dotfiles?: boolean;
  /** Serve what lies outside `root` behind a symbolic link. @default {false} */
  readonly followSymlinks?: boolean;
  /** Folders below `root` that hold scripts and are never served, as in `CgiOptions`. @default {[]} */
  readonly cgiDirectories?: readonly string[];
  /** Endings of script files, which are never served. @default {[]} */
  readonly cgiExtensions?: readonly string[];
  /** Answer 501 "Can only POST to CGI scripts" to POST, as Python's CGI server did, in place of 405. @default {false} */
  readonly postIsForCgi?: boolean;
  /** Serve `/page` from `page.html`, and redirect `/page.html` to `/page`. @default {false} */
  readonly cleanUrls?: boolean;
  /** Answer navigations (`Accept: text/html`, a last segment without a dot) to nowhere with this file. `true`: `index.html`. @default {false} */
  readonly spa?: boolean | string;
  /** File below `root` for the body of 404 answers. @default {false} */
  readonly notFoundPage?: string | false;
  /** Serve `name.zst`, `name.br`, `name.gz` beside `name` to clients that take them. @default {false} */
  readonly precompressed?: boolean;
  /** Compress on the fly what has no fresh precompressed file. @default {false} */
  readonly compress?: boolean;
  /** A `Cache-Control` value for all files, or rules. @default {"no-cache"} */
  readonly cache?: string | CacheOptions;
  /** Headers by path. @default {[]} */
  readonly headers?: readonly HeaderRule[];
  /** Media types by file ending, before the built-in table: `{ ".foo": "text/x-foo" }`. @default {{}} */
  readonly types?: Readonly<Record<string, string>>;
  /** Media type of files with an unknown ending. @default {"application/octet-stream"} */
  readonly defaultType?: string;
  /** @default {errorPage} */
  readonly renderError?: RenderError;
  /** @default {failures to console.error} */
  readonly log?: Log;
  /** @default {the runtime's files} */
  readonly fileSystem?: FileSystem;
}
