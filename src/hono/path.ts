/**
 * Hono's view of a path beside this library's.
 *
 * Hono matches the path as it came, with all escapes decoded but those of reserved characters; this library goes by
 * the decoded and normalised one. Where the two disagree, a request could get around a middleware that guards a part of
 * the path: `/files/x/../secret`, `/files/R%26D` for `R&D`, `/scripts/wiki/admin%2Fdelete`. So nothing is answered that
 * Hono's router has not seen under the same path (GHSA-wc8c-qw6v-h7f6, GHSA-92pp-h63x-v22m, GHSA-frvp-7c67-39w9).
 *
 * @module
 */

import { isNameable, isRefusal, requestPath, requestUrl } from "../request_path.ts";
import type { HonoContext } from "./context.ts";

/** Where a request belongs. */
export interface ComparedPath {
  /** The part of the path that the route consumed: `/cgi-bin` for `/cgi-bin/*`, `/ada/files` for `/:user/files/*`. */
  readonly mount: string;
  /** The same path as both sides would read it, where they have read this one differently; else `null`. */
  readonly location: string | null;
}

/** Compares what both sides make of the path; `null` when the request is not ours. */
export function comparePaths(context: HonoContext, givenMount: string | undefined): ComparedPath | null {
  const { raw, path: seen } = context.req;
  const url = requestUrl(raw);
  const path = requestPath(url);
  // Nobody's path: the handler says what is wrong with it.
  if (isRefusal(path)) return { mount: givenMount ?? "", location: null };
  const { segments } = path;
  const mount = givenMount ?? mountOf(context, segments);
  if (mount === null) return null;
  const ours = `/${segments.map(asHonoSees).join("/")}`;
  // Hono with `strict: false` does not see a slash at the end.
  if (seen === ours || `${seen}/` === ours) return { mount, location: null };
  if (!segments.every(isNameable) || ours.startsWith("//")) return null;
  const location = `/${segments.map(encodeForHono).join("/")}${url.search}`;
  // Hono would read it as it has read this one.
  return sentTarget(raw.url) === location ? null : { mount, location };
}

/** Path and query as they came: on some runtimes a URL is not normalised. */
function sentTarget(url: string): string {
  return url.slice(url.indexOf("/", url.indexOf("//") + 2));
}

/** Hono leaves these encoded. */
const KEPT = /[%?#]/g;

function asHonoSees(segment: string): string {
  return segment.replace(KEPT, encodeURIComponent);
}

function encodeForHono(segment: string): string {
  return encodeURI(segment).replace(/[?#]/g, encodeURIComponent);
}

/** `null` when the route has consumed other segments than these. */
function mountOf(context: HonoContext, segments: readonly string[]): string | null {
  const pattern = routePattern(context);
  if (pattern === null) return "";
  const consumed = segments.slice(0, pattern.length);
  const agrees = pattern.every((part, at) => part.startsWith(":") ? !!consumed[at] : part === consumed[at]);
  return agrees ? consumed.map((segment) => `/${segment}`).join("") : null;
}

/** The segments before the final `*` of the route that runs, or `null` when it does not end in one. */
function routePattern({ req: { routePath } }: HonoContext): readonly string[] | null {
  const segments = routePath.split("/").slice(1);
  if (segments.pop() !== "*") return null;
  // An optional or regular-expression parameter may take any number of segments, so that they cannot be counted.
  const unclear = segments.find((segment) => /[*?{]/.test(segment));
  if (unclear === undefined) return segments;
  throw new TypeError(
    `Cannot tell where the route "${routePath}" mounts its files: "${unclear}" may stand for several segments; ` +
      "give the option `mount`",
  );
}
