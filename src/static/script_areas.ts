/**
 * What belongs to scripts and is never sent as content: whole folders, and file endings.
 *
 * @module
 */

import { foldName } from "../cgi/area.ts";

/** Tells what belongs to scripts. */
export interface ScriptAreas {
  /** The folders as segments below the root. */
  readonly folders: readonly (readonly string[])[];
  /** Whether a path below the root is such a folder or lies in one. */
  contains(segments: readonly string[]): boolean;
  /** Whether a file with this name is a script, or the compressed form of one. */
  isScriptName(name: string): boolean;
}

/**
 * Resolves `cgiDirectories` and `cgiExtensions`. All names that some file system takes for the same count as the same
 * (other case, other composition of letters, dots at the end): there, `/CGI-BIN/x` would be the source of a script.
 *
 * @throws {TypeError} For an ending without a dot at its start.
 */
export function scriptAreas(
  directories: readonly string[],
  extensions: readonly string[],
): ScriptAreas {
  const folders = directories.map((directory) =>
    directory.split("/").filter((segment) => segment !== "" && segment !== ".")
  );
  const lower = folders.map((folder) => folder.map(foldName));
  for (const extension of extensions) {
    if (!/^\.[^/\\]+$/.test(extension)) {
      throw new TypeError(
        `Cannot use "${extension}" in cgiExtensions: an ending begins with a dot, as in ".cgi"`,
      );
    }
  }
  const endings = extensions.map(asciiLowerCase);
  return {
    folders,
    contains(segments) {
      return lower.some((folder) =>
        folder.length <= segments.length &&
        folder.every((segment, index) => segment === foldName(segments[index] as string))
      );
    },
    isScriptName(name) {
      if (endings.length === 0) return false;
      const lowerName = foldName(name);
      // `x.cgi.gz`, made for `precompressed`, holds the source too.
      const original = lowerName.replace(/\.(?:zst|br|gz)$/, "");
      return endings.some((ending) => lowerName.endsWith(ending) || original.endsWith(ending));
    },
  };
}

function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
