/**
 * Which paths belong to scripts: one answer for the lookup that runs them, and for the static handler and its listing,
 * which must never send their source.
 *
 * @module
 */

import type { FileSystem } from "../runtime.ts";
import { isWindowsPath, joinPath, namesBelow } from "./file_path.ts";

/** The folders and endings of scripts below one root. */
export interface CgiAreas {
  /** Nothing belongs to scripts. */
  readonly empty: boolean;
  /** The folders, each as its names below the root; `[]` is the root itself. */
  readonly directories: readonly (readonly string[])[];
  /** Whether the path lies in one of the folders, or names one. Compared exactly. */
  inDirectory(segments: readonly string[]): boolean;
  /** Whether a file's name has one of the endings. Compared ignoring ASCII case. */
  hasExtension(name: string): boolean;
  /**
   * Whether what has this path below the root belongs to scripts, and is neither sent nor listed. Where the comparisons
   * above are exact this one is generous: names that some file system takes for the same (other case, other
   * composition of letters, dots and spaces at the end) count as the same.
   */
  hides(segments: readonly string[], kind: "file" | "directory"): boolean;
}

/**
 * Makes the areas of `directories` (URL paths below the root: `cgi-bin`, `sub/dir/cgi-bin`, `.`) and `extensions`
 * (`.cgi`).
 *
 * @throws {TypeError} For a folder that is not below the root, or an ending without its dot.
 */
export function cgiAreas(
  directories: readonly string[],
  extensions: readonly string[],
): CgiAreas {
  const folders = directories.map(parseDirectory);
  const endings = extensions.map(parseExtension);
  const foldedFolders = folders.map((folder) => folder.map(foldName));

  function inDirectory(segments: readonly string[]): boolean {
    return folders.some((folder) => startsWith(segments, folder));
  }
  function hasExtension(name: string): boolean {
    return endings.length > 0 && endings.some((ending) => endsWithAscii(name, ending));
  }
  function hides(
    segments: readonly string[],
    kind: "file" | "directory",
  ): boolean {
    if (folders.length > 0) {
      const folded = segments.map(foldName);
      if (foldedFolders.some((folder) => startsWith(folded, folder))) return true;
    }
    if (kind === "directory" || endings.length === 0) return false;
    const name = foldName(segments.at(-1) ?? "");
    return endings.some((ending) => name.endsWith(ending));
  }
  return {
    empty: folders.length === 0 && endings.length === 0,
    directories: folders,
    inDirectory,
    hasExtension,
    hides,
  };
}

/**
 * Whether a file belongs to scripts, by the path it was asked for and by the path it really has: a link in a public
 * folder to a script is a script, and so is a file of the folder that `cgi-bin` is a link to.
 *
 * `segments` are the decoded names below `root`; `realPath` is the file's, from `files.realPath()`.
 */
export type HidesFile = (
  segments: readonly string[],
  realPath: string,
  kind?: "file" | "directory",
) => Promise<boolean>;

/** How long the real paths of the folders are taken for granted, in milliseconds. */
const REAL_PATH_AGE = 1000;

/** Makes the question for the files below `root`. Relative roots start at the working directory. */
export function createHidesFile(
  areas: CgiAreas,
  root: string,
  files: FileSystem,
): HidesFile {
  let known: { readonly at: number; readonly real: Promise<RealAreas> } | null = null;

  function realAreas(): Promise<RealAreas> {
    const now = Date.now();
    if (known === null || now - known.at > REAL_PATH_AGE) {
      const real = findRealAreas(areas, root, files);
      // A failure is told to those who wait for it, and then forgotten.
      real.catch(() => known = null);
      known = { at: now, real };
    }
    return known.real;
  }
  return async function hidesFile(segments, realPath, kind = "file") {
    if (areas.empty) return false;
    if (areas.hides(segments, kind)) return true;
    const { realRoot, folders } = await realAreas();
    if (folders.some((folder) => namesBelow(folder, realPath) !== null)) {
      return true;
    }
    const names = realRoot === null ? null : namesBelow(realRoot, realPath);
    return areas.hides(names ?? [lastName(realPath)], kind);
  };
}

interface RealAreas {
  readonly realRoot: string | null;
  readonly folders: readonly string[];
}

async function findRealAreas(
  areas: CgiAreas,
  root: string,
  files: FileSystem,
): Promise<RealAreas> {
  const realRoot = await files.realPath(root);
  if (realRoot === null) return { realRoot, folders: [] };
  const found = await Promise.all(
    areas.directories.map((names) => files.realPath(joinPath(realRoot, names))),
  );
  return { realRoot, folders: found.filter((path) => path !== null) };
}

function lastName(path: string): string {
  return path.split(isWindowsPath(path) ? /[\\/]/ : "/").at(-1) ?? "";
}

function startsWith(
  segments: readonly string[],
  prefix: readonly string[],
): boolean {
  return prefix.every((name, index) => segments[index] === name);
}

/**
 * Whether a name ends with `ending`, which is in lower case. Only ASCII letters have a case here: with Unicode's, an
 * uploaded file could be a script by a name that does not look like one (GHSA-3g8v-8r37-cgjm).
 */
function endsWithAscii(name: string, ending: string): boolean {
  if (name.length <= ending.length) return false;
  const tail = name.slice(-ending.length);
  return tail.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) === ending;
}

/** One spelling for all the names that some file system takes for the same. */
export function foldName(name: string): string {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(name)) return trimName(name.toLowerCase());
  return trimName(
    name.normalize("NFKC").toUpperCase().toLowerCase().replaceAll("\u0307", ""),
  );
}

/** Without what Windows drops or takes for a data stream. */
function trimName(name: string): string {
  return /[.: ]/.test(name) ? name.replace(/:.*$/s, "").replace(/[. ]+$/, "") : name;
}

/** Python's spelling is taken too: `/cgi-bin`. */
function parseDirectory(directory: string): readonly string[] {
  if (directory === "." || directory === "/") return [];
  const names = directory.replace(/^\/|\/$/g, "").split("/");
  if (names.some((name) => name === "" || name === "." || name === "..")) {
    throw new TypeError(
      `Cannot use the CGI directory "${directory}": it must be a path below the root, such as "cgi-bin", or "."`,
    );
  }
  return names;
}

function parseExtension(extension: string): string {
  if (!/^\.[\x21-\x2e\x30-\x5b\x5d-\x7e]+$/.test(extension)) {
    throw new TypeError(
      `Cannot use the script extension "${extension}": it must begin with a dot, such as ".cgi"`,
    );
  }
  return extension.toLowerCase();
}
