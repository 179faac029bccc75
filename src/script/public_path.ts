/**
 * From the paths that a handler knows to those that its clients do: a handler that sees the path after the script's
 * would otherwise send them to where it is not.
 *
 * @module
 */

/**
 * Makes a function for the fields of responses. `Location` and `Content-Location` on this origin, and the `Path` of
 * cookies, get the path of the script in front; not what has it already, and not a cookie for everything (`/`).
 *
 * @param seen The URL that the handler was asked for.
 */
export function createPublish(seen: string, scriptPath: string): (name: string, value: string) => string {
  const { origin } = new URL(seen);
  function publicPath(path: string): string {
    const isPublic = path.startsWith(scriptPath) && /^(?:[/?#]|$)/.test(path.slice(scriptPath.length));
    return isPublic ? path : scriptPath + path;
  }
  function publicUrl(value: string): string {
    if (value.startsWith("/")) return value.startsWith("//") ? value : publicPath(value);
    const isAbsolute = /^[a-z][a-z0-9+.-]*:/i.test(value);
    // Relative to what the handler saw, which may have a slash more than what the client sees.
    const url = URL.canParse(value, seen) ? new URL(value, seen) : null;
    if (url === null || url.origin !== origin) return value;
    const path = publicPath(url.pathname + url.search + url.hash);
    return isAbsolute ? origin + path : path;
  }
  return function publish(name, value) {
    if (name === "location" || name === "content-location") return publicUrl(value);
    if (name !== "set-cookie") return value;
    return value.replace(
      /(;\s*path\s*=\s*)(\/[^;\s][^;]*)/i,
      (_all, before: string, path: string) => before + publicPath(path),
    );
  };
}
