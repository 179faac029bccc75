/**
 * Which paths belong to scripts: one answer for the lookup that runs them, and for the static handler and its listing,
 * which must never send their source.
 *
 * @module
 */

/** The folders and endings of scripts below one root. */
export interface CgiAreas {
  /** The folders, each as its names below the root; `[]` is the root itself. */
  readonly directories: readonly (readonly string[])[];
  /** Whether the path lies in one of the folders, or names one. Compared exactly: what this says is run. */
  inDirectory(segments: readonly string[]): boolean;
  /** Whether a file's name has one of the endings. Compared ignoring ASCII case: what this says is run. */
  hasExtension(name: string): boolean;
  /**
   * Whether the path is never sent or listed, because it lies in one of the folders or names one. Names that some file
   * system takes for the same (other case, other composition of letters, dots and spaces at the end) count as the same:
   * there, `/CGI-BIN/x` would be the source of a script.
   */
  hidesPath(segments: readonly string[]): boolean;
  /** Whether a file with this name is never sent or listed: a script by its ending, or the compressed form of one. */
  hidesName(name: string): boolean;
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
  function hidesPath(segments: readonly string[]): boolean {
    if (folders.length === 0) return false;
    const folded = segments.map(foldName);
    return foldedFolders.some((folder) => startsWith(folded, folder));
  }
  function hidesName(name: string): boolean {
    if (endings.length === 0) return false;
    const folded = foldName(name);
    // `x.cgi.gz`, made for `precompressed`, holds the source too.
    const original = folded.replace(/\.(?:zst|br|gz)$/, "");
    return endings.some((ending) => folded.endsWith(ending) || original.endsWith(ending));
  }
  return { directories: folders, inDirectory, hasExtension, hidesPath, hidesName };
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
  return /:|[. ]$/.test(name) ? name.replace(/:.*$/s, "").replace(/[. ]+$/, "") : name;
}

/**
 * The names on the way to a folder of scripts. Python's spelling is taken too: `/cgi-bin`.
 *
 * @throws {TypeError} For what does not name a folder below the root.
 */
export function parseDirectory(directory: string): readonly string[] {
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
