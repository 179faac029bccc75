/**
 * Comparing absolute paths as the file system gives them, segment by segment.
 *
 * @module
 */

/** Whether an absolute path is one of Windows: `C:\site`, `\\server\share`. */
export function isWindowsPath(path: string): boolean {
  return /^(?:[A-Za-z]:[\\/]|\\\\)/.test(path);
}

/** The segments of an absolute path. */
export function pathSegments(path: string): string[] {
  return path.split(isWindowsPath(path) ? /[\\/]+/ : /\/+/).filter((segment) => segment !== "");
}

/**
 * The segments of `path` below `base`, or `null` when it is not in it. Both without links. Whole segments are compared:
 * `/www-secret` is not below `/www`.
 */
export function segmentsBelow(base: string, path: string): string[] | null {
  const above = pathSegments(base);
  const segments = pathSegments(path);
  if (segments.length < above.length) return null;
  return above.every((segment, index) => segment === segments[index]) ? segments.slice(above.length) : null;
}

/** The segments of `path` from where it leaves the way to `base`. */
export function segmentsBeside(base: string, path: string): string[] {
  const other = pathSegments(base);
  const segments = pathSegments(path);
  let shared = 0;
  while (shared < segments.length && segments[shared] === other[shared]) shared++;
  return segments.slice(shared);
}

/** The last segment of a path. */
export function lastSegment(path: string): string {
  return pathSegments(path).at(-1) ?? "";
}
