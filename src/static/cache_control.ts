/**
 * `Cache-Control` by path.
 *
 * @module
 */

import type { CacheOptions } from "./options.ts";
import { pathPattern } from "./path_pattern.ts";

const IMMUTABLE = "public, max-age=31536000, immutable";

/** Compiles the option to a lookup by path below the root. */
export function cacheControl(option: string | number | CacheOptions): (path: string) => string {
  if (typeof option !== "object") {
    const value = cacheControlValue(option);
    return () => value;
  }
  const fallback = cacheControlValue(option.default ?? "no-cache");
  const { immutable = [] } = option;
  if (immutable === true) return (path) => isFingerprinted(path) ? IMMUTABLE : fallback;
  const patterns = immutable.map(pathPattern);
  return (path) => patterns.some((fits) => fits(path)) ? IMMUTABLE : fallback;
}

/**
 * One value of it; a number is the seconds for which an answer may be kept.
 *
 * @throws {TypeError} For what cannot stand in a header.
 */
export function cacheControlValue(option: string | number): string {
  if (typeof option === "number") return `max-age=${Math.max(0, Math.floor(option) || 0)}`;
  if (/[^\t\x20-\x7e]/.test(option)) {
    throw new TypeError(
      `Cannot use ${JSON.stringify(option)} as Cache-Control: it holds what a header cannot`,
    );
  }
  return option;
}

/**
 * Whether a file's name holds a fingerprint of its content, as bundlers write them: `app.3f9a2c1b.js`,
 * `app-BX3kf92a.css`. A name that is wrongly taken for one would be kept for a year, one that is missed is only asked
 * for again: so dates, versions and words must not pass, whatever else does not.
 */
export function isFingerprinted(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const match = /[.-]([0-9A-Za-z]{8,64})(?:\.[0-9A-Za-z]{1,12}){1,2}$/.exec(name);
  if (match === null) return false;
  const mark = match[1] as string;
  const runs = mark.match(/\d+|\D+/g) ?? [];
  const longestNumber = Math.max(0, ...(mark.match(/\d+/g) ?? []).map((digits) => digits.length));
  const isHex = /^(?:[0-9a-f]+|[0-9A-F]+)$/.test(mark);
  if (isHex && mark.length >= 20) return runs.length >= 4;
  // `20240102T030405Z` is four runs too, but of long numbers.
  return runs.length >= (isHex ? 3 : 4) && longestNumber <= (isHex ? 6 : 3);
}
