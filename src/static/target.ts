/**
 * What a request asks the static handler for: its path below the mount.
 *
 * @module
 */

import { isRefusal, requestPath, requestUrl } from "../request_path.ts";

/** A request's path, as the static handler goes by it. */
export interface Target {
  /** Decoded segments below the mount, without the empty one that a slash at the end makes. */
  readonly segments: readonly string[];
  /** Whether the path ends in a slash: a folder is asked for. */
  readonly isFolder: boolean;
  /** Whether slashes stand together somewhere. */
  readonly hasDoubledSlash: boolean;
  /** The same path for rules: decoded, below the mount, with a slash at its start. */
  readonly path: string;
  /** The percent-encoded path from the server's root, for `Location`. */
  readonly encoded: string;
  /** The query with its `?`, or empty. */
  readonly search: string;
}

/** What {@linkcode parseTarget} says of a path that is not below the mount. */
export type NotMine = "not-mine";

/** The segments of a mount. Throws a `TypeError` for one that does not begin with a slash. */
export function parseMount(mount: string): readonly string[] {
  if (mount !== "" && !mount.startsWith("/")) {
    throw new TypeError(`Cannot mount at "${mount}": a mount begins with a slash, as in "/static"`);
  }
  const path = mount.replace(/\/+$/, "");
  return path === "" ? [] : path.slice(1).split("/");
}

/** Parses a request's URL; a number is the status of a path that cannot be used. */
export function parseTarget(
  request: Pick<Request, "url">,
  mount: readonly string[],
): Target | NotMine | 400 | 404 {
  const url = requestUrl(request);
  const parsed = requestPath(url);
  if (isRefusal(parsed)) {
    const prefix = mount.map((segment) => `/${encodeURIComponent(segment)}`).join("");
    return `${url.pathname}/`.startsWith(`${prefix}/`) ? parsed.refused : "not-mine";
  }
  const { segments: all, encoded } = parsed;
  if (!mount.every((segment, index) => all[index] === segment)) return "not-mine";
  const segments = all.slice(mount.length);
  const path = `/${segments.join("/")}`;
  const isFolder = segments.at(-1) === "";
  if (isFolder) segments.pop();
  return { segments, isFolder, hasDoubledSlash: segments.includes(""), path, encoded, search: url.search };
}

/** The target with the segments of another path below the root; the answer is still to the request's own URL. */
export function withPath(target: Target, path: string): Target | 404 {
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.some((segment) => segment === ".." || segment.includes("\0"))) return 404;
  return { ...target, segments, isFolder: target.isFolder || path.endsWith("/"), hasDoubledSlash: false };
}
