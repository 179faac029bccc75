/**
 * Patterns of paths: `/assets/**`, `*.html`.
 *
 * @module
 */

/** Whether a path below the root, with a slash at its start, fits. */
export type PathPattern = (path: string) => boolean;

/**
 * Compiles a pattern. `*` stands for any characters within a segment, `**` for any segments, also none. A pattern
 * without a slash is compared with the last segment.
 */
export function pathPattern(pattern: string): PathPattern {
  if (pattern === "**") return () => true;
  const nameOnly = !pattern.includes("/");
  const source = (nameOnly || pattern.startsWith("/") ? pattern : `/${pattern}`)
    .split(/(\/\*\*(?=\/|$)|^\*\*(?=\/)|\*+)/)
    .map((part) => {
      if (part === "/**" || part === "**") return "(?:/.*)?";
      if (part.startsWith("*")) return "[^/]*";
      return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    })
    .join("");
  const expression = new RegExp(`^${source}$`, "su");
  if (!nameOnly) return (path) => expression.test(path);
  return (path) => expression.test(path.slice(path.lastIndexOf("/") + 1));
}
