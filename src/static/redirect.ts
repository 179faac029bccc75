/**
 * Redirects to the one path of a file or folder.
 *
 * @module
 */

import type { Fields } from "../fields.ts";
import { respond } from "../response.ts";
import type { Target } from "./target.ts";

/**
 * A 301 to another path of this server, the query kept. The path begins with exactly one slash: `//host/` would lead to
 * another server. Without `Cache-Control` a browser would keep it forever, also when the folder has become a file.
 */
export function redirect(path: string, target: Target, decorate: (headers: Fields) => void): Response {
  const headers = new Headers({
    "location": `/${path.replace(/^\/+/, "")}${target.search}`,
    "content-length": "0",
  });
  decorate(headers);
  return respond(301, headers, null);
}

/** The path with every run of slashes as one. */
export function withoutDoubledSlashes(encoded: string): string {
  return encoded.replace(/\/{2,}/g, "/");
}
