/**
 * Paths of this machine as text, in either notation: `/srv/www` and `C:\srv\www`.
 *
 * @module
 */

/** Whether a path is written as Windows writes absolute paths: with a drive letter, or as a network share. */
export function isWindowsPath(path: string): boolean {
  return /^(?:[A-Za-z]:|\\\\)/.test(path);
}

/** Whether a path says by itself where it begins. */
export function isAbsolutePath(path: string): boolean {
  return path.startsWith("/") || isWindowsPath(path);
}

/** `folder` and names below it. */
export function joinPath(folder: string, names: readonly string[]): string {
  if (names.length === 0) return folder;
  const separator = isWindowsPath(folder) ? "\\" : "/";
  const start = /[\\/]$/.test(folder) ? folder : folder + separator;
  return start + names.join(separator);
}

/** An absolute path without `.`, `..` and doubled separators. Relative paths start at `cwd`. */
export function absolutePath(path: string, cwd: string): string {
  const full = isAbsolutePath(path) ? path : joinPath(cwd, [path]);
  const windows = isWindowsPath(full);
  const start = windows ? windowsStart(full) : "";
  const kept: string[] = [];
  for (const part of full.slice(start.length).split(windows ? /[\\/]/ : "/")) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(part);
  }
  const separator = windows ? "\\" : "/";
  return start + separator + kept.join(separator);
}

/** The folder a file is in. */
export function parentFolder(path: string): string {
  const end = lastSeparator(path);
  if (end <= 0) return "/";
  return isWindowsPath(path) && end === 2 ? path.slice(0, 3) : path.slice(0, end);
}

/** The last name of a path. */
export function baseName(path: string): string {
  return path.slice(lastSeparator(path) + 1);
}

/** The names below `folder` that lead to `path`, or `null` when it does not lie in there. Both are real paths. */
export function namesBelow(
  folder: string,
  path: string,
): readonly string[] | null {
  if (path === folder) return [];
  const windows = isWindowsPath(folder);
  const separator = windows ? "\\" : "/";
  const start = folder.endsWith(separator) ? folder : folder + separator;
  return path.startsWith(start) ? path.slice(start.length).split(separator) : null;
}

/**
 * Whether Windows takes a name for something other than the file so called: a drive or an alternate data stream
 * (`x.py::$DATA` is x.py's content), a device (`NUL`, `com1.txt`), or a shorter name (dots and spaces at the end are
 * dropped). Such names get round every check of a file's name, so none is let through.
 */
export function isWindowsHazard(name: string): boolean {
  return /[<>:"|?*\\/]|[. ]$|~\d/.test(name) ||
    /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d\u00b9\u00b2\u00b3])\s*(?:\.|$)/i
      .test(name);
}

function lastSeparator(path: string): number {
  return isWindowsPath(path)
    ? Math.max(path.lastIndexOf("\\"), path.lastIndexOf("/"))
    : path.lastIndexOf("/");
}

/** The drive or the network share, without a separator at its end. */
function windowsStart(path: string): string {
  return /^(?:[A-Za-z]:|\\\\[^\\/]+[\\/][^\\/]+|\\)/.exec(path)?.[0] ?? "";
}
