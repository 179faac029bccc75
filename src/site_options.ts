/**
 * What `site()` takes, and what that says of scripts.
 *
 * @module
 */

import { CGI_OPTIONS, type CgiOptions } from "./cgi/options.ts";
import {
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
import type { Log } from "./log/events.ts";
import type { FileSystem } from "./runtime.ts";
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

/** Options that files and scripts have in common, and that are given once. */
const SHARED = ["root", "mount", "dotfiles", "followSymlinks", "renderError", "log", "fileSystem"] as const;

const CGI_OPTIONS_OF_SITES: Shape<SiteCgiOptions> = {
  ...without(CGI_OPTIONS, [...SHARED, "directories", "script", "args"]),
  directories: list(text),
  run: flag,
};

/** What each of the options may be. */
export const SITE_OPTIONS: Shape<SiteOptions> = {
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

/** Of the options, those that files and scripts have in common. */
export function sharedOptions(
  options: SiteOptions,
): Pick<CgiOptions, typeof SHARED[number]> & { readonly root: string } {
  const { directory, cgi: _cgi, static: _static, ...shared } = options;
  return { ...shared, root: directory };
}
