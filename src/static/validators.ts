/**
 * What a file's state is recognised by: its entity tag and modification date (RFC 9110 section 8.8).
 *
 * @module
 */

import type { FileInfo } from "../runtime.ts";

/** Validators of one representation. */
export interface Validators {
  /** `"abc"`, `W/"abc"`, or `null` when there is none. */
  readonly tag: string | null;
  /** In milliseconds since 1970, whole seconds; never in the future. `null` when it is not known. */
  readonly modified: number | null;
  /** Whether the date is as good as a strong tag (section 8.8.2.2): the file has been still for longer than a second. */
  readonly strongDate: boolean;
}

/** Validators of what has none. */
export const NO_VALIDATORS: Validators = { tag: null, modified: null, strongDate: false };

/**
 * A file that was just written may be written again within the resolution of its clock (4 ms on most systems): until then
 * its tag is weak, and another one than later, so that a copy taken between two such writes is asked for again.
 */
const SETTLED_MS = 2000;

/**
 * Validators from a file's mtime and size. `coding` makes a tag of its own for an encoded form; `weak` is for forms that
 * are not the same to the byte each time (compression on the fly).
 *
 * An mtime in the first two seconds of 1970 is what reproducible builds and some images give every file: it says
 * nothing, so there are no validators.
 */
export function fileValidators(
  info: Pick<FileInfo, "mtimeMs" | "size">,
  coding = "",
  weak = false,
): Validators {
  const { mtimeMs, size } = info;
  if (mtimeMs === null || mtimeMs < 2000) return NO_VALIDATORS;
  const now = Date.now();
  const settled = now - mtimeMs >= SETTLED_MS;
  const state = `${mtimeMs.toString(36)}-${size.toString(36)}${settled ? "" : "-new"}`;
  const tag = `"${state}${coding && `-${coding}`}"`;
  return {
    tag: settled && !weak ? tag : `W/${tag}`,
    // Section 8.8.2.1: not later than the response's own date, and the one that Deno gives it is up to a second old.
    modified: wholeSeconds(Math.min(mtimeMs, now)) - (settled ? 0 : 1000),
    strongDate: settled,
  };
}

/** Rounds down to what a date in a header field can say. */
export function wholeSeconds(ms: number): number {
  return ms - ms % 1000;
}

/** Compares tags for `If-Match` and `If-Range` (section 8.8.3.2): equal, and both strong. */
export function strongMatch(a: string, b: string): boolean {
  return a === b && !a.startsWith("W/");
}

/** Compares tags for `If-None-Match`: equal, weak or not. */
export function weakMatch(a: string, b: string): boolean {
  return withoutWeakness(a) === withoutWeakness(b);
}

function withoutWeakness(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}

/** The tags of an `If-Match` or `If-None-Match` field, or `*`. A comma inside a tag does not end it. */
export function parseTagList(value: string): readonly string[] | "*" {
  if (value.trim() === "*") return "*";
  return value.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];
}
