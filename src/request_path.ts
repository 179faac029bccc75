/**
 * From a request's URL to the one path that every decision uses: decoded once, normalised once.
 *
 * @module
 */

/** A request's path, taken apart. */
export interface RequestPath {
  /**
   * The decoded segments after the leading slash. Dot segments are gone. An empty string in the middle is a doubled
   * slash, one at the end is a trailing slash.
   */
  readonly segments: readonly string[];
  /** The percent-encoded path as it stands in the URL, dot segments resolved: for `REQUEST_URI` and `Location`. */
  readonly encoded: string;
  /** The query as sent, without its `?`; empty when there is none. */
  readonly query: string;
}

/** A path that cannot be served, with the status that says so. */
export interface PathRefusal {
  readonly refused: 400 | 404;
  readonly reason: string;
}

/** Never a host of ours: stands in where a request came without one (HTTP/1.0). */
const NO_HOST = "http://localhost";

/** Dot segments of a path, without their slashes. */
const DOT_SEGMENTS = /(?<=\/)\.{1,2}(?=\/|$)/g;

/**
 * Parses a URL; no dot segment is left in its path. The parser of Node 20 (ada 2.9) looks at the first `/.` alone to see
 * whether there are any, and takes `/.x/../y` as it stands. It resolves those that are encoded.
 *
 * @throws {TypeError} When it is no URL.
 */
export function parseUrl(text: string): URL {
  const url = new URL(text);
  const { pathname } = url;
  if (pathname.includes("/.")) {
    const encoded = pathname.replace(DOT_SEGMENTS, (dots) => dots.replaceAll(".", "%2e"));
    if (encoded !== pathname) url.pathname = encoded;
  }
  return url;
}

/**
 * Parses a request's URL. `parseUrl()` resolves dot segments (`..`, `%2e%2e`) and turns a raw backslash into a slash;
 * the runtimes hand URLs over in different states of this, so it is always done here. Never throws: a `Host` that is no
 * host is left out.
 */
export function requestUrl(request: Pick<Request, "url">): URL {
  const { url } = request;
  if (url.startsWith("/")) return parseUrl(NO_HOST + url);
  try {
    return parseUrl(url);
  } catch {
    const [, path = ""] = /^[^:/?#]+:\/\/[^/?#\\]*(.*)$/s.exec(url) ?? [];
    return parseUrl(NO_HOST + (/^[/?]/.test(path) ? path : "/"));
  }
}

/** Path and query of a request, for the log. */
export function requestTarget(request: Pick<Request, "url">): string {
  const { pathname, search } = requestUrl(request);
  return pathname + search;
}

/** The path of a URL, or why there is none: 400 for a malformed escape or NUL, 404 for bytes that are not UTF-8. */
export function requestPath(url: URL): RequestPath | PathRefusal {
  const encoded = url.pathname;
  const segments: string[] = [];
  for (const part of encoded.slice(1).split("/")) {
    const segment = decodeSegment(part);
    if (typeof segment !== "string") return segment;
    segments.push(segment);
  }
  return { segments, encoded, query: url.search.slice(1) };
}

let lastTarget = "";
let lastPath: RequestPath | PathRefusal = { segments: [""], encoded: "/", query: "" };

/** The same for a request's target. It is often the one that was just asked for, here or by another handler. */
export function targetPath(target: string): RequestPath | PathRefusal {
  if (target !== lastTarget) {
    lastPath = requestPath(requestUrl({ url: target }));
    lastTarget = target;
  }
  return lastPath;
}

/** Whether the value is a refusal. */
export function isRefusal(path: RequestPath | PathRefusal): path is PathRefusal {
  return "refused" in path;
}

/**
 * Whether a segment can name a file or a script. An encoded slash or backslash cannot: the router in front of us may
 * have seen one segment where the file system would see two.
 */
export function isNameable(segment: string): boolean {
  return !segment.includes("/") && !segment.includes("\\");
}

function decodeSegment(part: string): string | PathRefusal {
  if (!part.includes("%")) return part;
  if (/%(?![0-9a-fA-F]{2})/.test(part)) {
    return { refused: 400, reason: "malformed percent-encoding" };
  }
  if (part.includes("%00")) return { refused: 400, reason: "NUL in the path" };
  try {
    return decodeURIComponent(part);
  } catch {
    return { refused: 404, reason: "path is not valid UTF-8" };
  }
}
