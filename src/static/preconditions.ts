/**
 * Conditions of a request, in the order of RFC 9110 section 13.2.2.
 *
 * @module
 */

import { parseHttpDate } from "./http_date.ts";
import { parseTagList, strongMatch, type Validators, weakMatch } from "./validators.ts";

/** Fields of a request. */
export type Fields = Pick<Headers, "get">;

/** What the conditions say: go on, 304, or 412. */
export type Verdict = "proceed" | "not-modified" | "failed";

/**
 * Evaluates the conditions of a GET or HEAD request for a representation that exists. `exactDate` answers
 * `If-Modified-Since` with 304 for the very same date only: for dates that may go back.
 */
export function evaluateConditions(
  headers: Fields,
  validators: Validators,
  exactDate = false,
): Verdict {
  const ifMatch = headers.get("if-match");
  if (ifMatch !== null) {
    if (!matches(ifMatch, validators.tag, strongMatch)) return "failed";
  } else {
    const limit = dateOf(headers, "if-unmodified-since");
    if (limit !== null && validators.modified !== null && validators.modified > limit) return "failed";
  }
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== null) {
    return matches(ifNoneMatch, validators.tag, weakMatch) ? "not-modified" : "proceed";
  }
  const since = dateOf(headers, "if-modified-since");
  if (since === null || validators.modified === null) return "proceed";
  const unchanged = exactDate ? validators.modified === since : validators.modified <= since;
  return unchanged ? "not-modified" : "proceed";
}

/**
 * Whether `Range` is to be looked at (section 13.1.5): there is no `If-Range`, or it names this very state. A weak
 * validator cannot vouch for bytes, so it never does.
 */
export function ifRangeHolds(headers: Fields, validators: Validators): boolean {
  const value = headers.get("if-range");
  if (value === null) return true;
  if (value.includes('"')) return validators.tag !== null && strongMatch(value.trim(), validators.tag);
  const date = parseHttpDate(value);
  return date !== null && validators.strongDate && date === validators.modified;
}

function matches(
  field: string,
  tag: string | null,
  compare: (a: string, b: string) => boolean,
): boolean {
  // As a rule, it is the one tag that was given to the client.
  if (field === tag) return compare(field, tag);
  const tags = parseTagList(field);
  if (tags === "*") return true;
  return tag !== null && tags.some((candidate) => compare(candidate, tag));
}

function dateOf(headers: Fields, name: string): number | null {
  const value = headers.get(name);
  return value === null ? null : parseHttpDate(value);
}
