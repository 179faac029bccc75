/**
 * A folder with its CGI scripts, as one handler: what the command line serves.
 *
 * @module
 */

import { cgi } from "./cgi/mod.ts";
import { CGI_OPTIONS, type CgiHandler, type CgiOptions } from "./cgi/options.ts";
import {
  checkOptions,
  either,
  flag,
  hook,
  list,
  needed,
  record,
  service,
  type Shape,
  text,
  without,
} from "./check_options.ts";
import type { RenderError } from "./error_page.ts";
import { askAtOnce, type AtOnce } from "./at_once.ts";
import type { Connection, Handler } from "./handler.ts";
import type { Log } from "./log/events.ts";
import type { FileSystem } from "./runtime.ts";
import { staticFiles } from "./static/mod.ts";
import { STATIC_OPTIONS, type StaticOptions } from "./static/options.ts";

/** How a site runs its scripts: {@linkcode CgiOptions} without what the site itself decides. */
export interface SiteCgiOptions extends
  Omit<
    CgiOptions,
    | "root"
    | "mount"
    | "dotfiles"
    | "followSymlinks"
    | "renderError"
    | "log"
    | "fileSystem"
    | "directories"
    | "script"
    | "args"
  > {
  /**
   * The folders below the site's whose files are scripts, as in {@linkcode CgiOptions.directories}; `.` for all.
   * @default {["cgi-bin", "htbin"]}
   */
  readonly directories?: readonly string[];
  /**
   * `false` runs nothing. What would be a script is then refused, and still never sent as content.
   * @default {true}
   */
  readonly run?: boolean;
}

/** How a site serves its files: {@linkcode StaticOptions} without what the site itself decides. */
export type SiteStaticOptions = Omit<
  StaticOptions,
  | "root"
  | "mount"
  | "dotfiles"
  | "followSymlinks"
  | "renderError"
  | "log"
  | "fileSystem"
  | "cgiDirectories"
  | "cgiExtensions"
  | "postIsForCgi"
  | "fallthrough"
>;

/** Options of {@linkcode site}. */
export interface SiteOptions {
  /** The folder. A relative path starts at the working directory. */
  readonly directory: string;
  /** Run scripts: `true` as Python's CGI server does, or with options. @default {false} */
  readonly cgi?: boolean | SiteCgiOptions;
  /** Options of `staticFiles()`. @default {{}} */
  readonly static?: SiteStaticOptions;
  /** URL path that the folder stands for, when no router says it (`connection.mount`). @default {""} */
  readonly mount?: string;
  /** Serve and run what begins with a dot. `.well-known` is always served. @default {false} */
  readonly dotfiles?: boolean;
  /** Serve and run what lies outside of the folder behind a symbolic link. @default {false} */
  readonly followSymlinks?: boolean;
  /** Renders error pages. @default {errorPage} */
  readonly renderError?: RenderError;
  /** Gets what happens. @default {failures to console.error} */
  readonly log?: Log;
  /** Where files are read. @default {the runtime's files} */
  readonly fileSystem?: FileSystem;
}

/** A handler for a site, with a way to end its scripts. */
export interface SiteHandler extends Handler {
  /** As {@linkcode CgiHandler.close}. Resolves at once where no scripts run. */
  close(graceMs?: number): Promise<void>;
}

/** Options that files and scripts have in common, and that are given once. */
const SHARED = ["root", "mount", "dotfiles", "followSymlinks", "renderError", "log", "fileSystem"] as const;

const CGI_OPTIONS_OF_SITES: Shape<SiteCgiOptions> = {
  ...without(CGI_OPTIONS, [...SHARED, "directories", "script", "args"]),
  directories: list(text),
  run: flag,
};

const SITE_OPTIONS: Shape<SiteOptions> = {
  directory: needed(text),
  cgi: either(flag, record(CGI_OPTIONS_OF_SITES)),
  static: record<SiteStaticOptions>(
    without(STATIC_OPTIONS, [...SHARED, "cgiDirectories", "cgiExtensions", "postIsForCgi", "fallthrough"]),
  ),
  mount: text,
  dotfiles: flag,
  followSymlinks: flag,
  renderError: hook,
  log: hook,
  fileSystem: service,
};

/** The folders that CERN's and Python's servers took scripts from. */
const CGI_DIRECTORIES: readonly string[] = ["cgi-bin", "htbin"];

/**
 * Serves a folder: scripts run, everything else is a file.
 *
 * Both sides go by one list of where scripts are, so that no file in such a place is ever sent as content, whether or
 * not scripts run. With scripts, `POST` to what is none is answered 501, as Python's CGI server does.
 *
 * @throws {TypeError} When an option makes no sense.
 *
 * @example
 * ```ts
 * import { serve, site, type SiteHandler, type SiteOptions } from "htbin";
 * import type { SiteCgiOptions, SiteStaticOptions } from "htbin";
 *
 * const scripts: SiteCgiOptions = { directories: ["cgi-bin"] };
 * const files: SiteStaticOptions = { listing: true };
 * const options: SiteOptions = { directory: "examples/site", cgi: scripts, static: files };
 * const handler: SiteHandler = site(options);
 * const server = await serve({ port: 0, handler });
 * console.log(`The site is at ${server.url}`);
 * await server.close();
 * await handler.close();
 * ```
 */
export function site(options: SiteOptions): SiteHandler {
  checkOptions("site()", options, SITE_OPTIONS);
  const scripts = scriptOptions(options);
  const runScript = runsScripts(options) ? cgi(scripts) : null;
  const sendFile = staticFiles({
    ...options.static,
    ...sharedOptions(options),
    cgiDirectories: scripts.directories ?? [],
    // A file that an interpreter is named for is source text too, also outside of the folders for scripts.
    cgiExtensions: [...scripts.extensions ?? [], ...Object.keys(scripts.interpreters ?? {})],
    postIsForCgi: runScript !== null,
  });
  async function handleSite(request: Request, connection: Connection = {}): Promise<Response | undefined> {
    // Without a server around it, the site itself is where a script's local redirect leads.
    const inner = connection.dispatch === undefined ? { ...connection, dispatch: handleSite } : connection;
    return await runScript?.(request, inner) ?? await sendFile(request, inner);
  }
  const atOnce: AtOnce = (head, connection) => {
    const script = runScript === null ? undefined : askAtOnce(runScript, head, connection);
    return script === undefined ? askAtOnce(sendFile, head, connection) : script;
  };
  return Object.assign(handleSite, { atOnce, close: (graceMs?: number) => closeScripts(runScript, graceMs) });
}

/** Whether a site runs what it takes for scripts. */
export function runsScripts({ cgi = false }: SiteOptions): boolean {
  return typeof cgi === "boolean" ? cgi : cgi.run ?? true;
}

/** The options of `cgi()` for a site, whether or not its scripts run. */
export function scriptOptions(options: SiteOptions): CgiOptions {
  const given: SiteCgiOptions = typeof options.cgi === "object" ? options.cgi : {};
  const { run: _run, ...scripts } = given;
  return { directories: CGI_DIRECTORIES, ...scripts, ...sharedOptions(options) };
}

function sharedOptions(
  options: SiteOptions,
): Pick<CgiOptions, typeof SHARED[number]> & { readonly root: string } {
  const { directory, cgi: _cgi, static: _static, ...shared } = options;
  return { ...shared, root: directory };
}

async function closeScripts(runScript: CgiHandler | null, graceMs: number | undefined): Promise<void> {
  await runScript?.close(graceMs);
}
