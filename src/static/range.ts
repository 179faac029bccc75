/**
 * Byte ranges (RFC 9110 section 14).
 *
 * @module
 */

import type { ByteSpan } from "../runtime.ts";

/** What a `Range` field asks for: the whole, parts of it, or nothing that exists. */
export type RangeRequest =
  | { readonly kind: "whole" }
  | { readonly kind: "unsatisfiable" }
  /** At least one, none empty, in the order asked for. */
  | { readonly kind: "parts"; readonly parts: readonly ByteSpan[] };

const WHOLE: RangeRequest = { kind: "whole" };

/** Parts that are worth it; a client that wants more gets the whole (section 17.15). */
const MAX_PARTS = 64;

/**
 * Reads a `Range` field for a representation of `size` bytes. A field that does not follow the grammar is ignored, as
 * section 14.2 allows; so is one that asks for more bytes than there are, all its parts together.
 */
export function parseRange(value: string, size: number): RangeRequest {
  const match = /^bytes=(.*)$/is.exec(value.trim());
  if (match === null || size === 0) return WHOLE;
  const parts: ByteSpan[] = [];
  let bytes = 0;
  let specs = 0;
  for (const piece of (match[1] as string).split(",")) {
    const spec = piece.trim();
    // Section 5.6.1: empty elements of a list are skipped.
    if (spec === "") continue;
    const part = parseSpec(spec, size);
    if (part === null || ++specs > MAX_PARTS) return WHOLE;
    if (part.length === 0) continue;
    bytes += part.length;
    if (bytes > size) return WHOLE;
    parts.push(part);
  }
  if (specs === 0) return WHOLE;
  return parts.length === 0 ? { kind: "unsatisfiable" } : { kind: "parts", parts: coalesce(parts) };
}

/** One range: `null` when it is none, `length` 0 when nothing of it exists. */
function parseSpec(spec: string, size: number): ByteSpan | null {
  const match = /^(\d*)-(\d*)$/.exec(spec);
  if (match === null) return null;
  const [, first, last] = match as unknown as [string, string, string];
  if (first === "") {
    if (last === "") return null;
    const length = Math.min(Number(last), size);
    return { offset: size - length, length };
  }
  const offset = Number(first);
  if (last !== "" && isBelow(last, first)) return null;
  if (offset >= size) return { offset: size, length: 0 };
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return { offset, length: end - offset + 1 };
}

/** Compares numbers of any length: as floating point numbers, the last digits of long ones are equal. */
function isBelow(a: string, b: string): boolean {
  const [x, y] = [a, b].map((digits) => digits.replace(/^0+/, "")) as [string, string];
  return x.length === y.length ? x < y : x.length < y.length;
}

/** Joins parts that overlap or touch; when there are none, the order asked for is kept. */
function coalesce(parts: readonly ByteSpan[]): readonly ByteSpan[] {
  if (parts.length === 1) return parts;
  const sorted = [...parts].sort((a, b) => a.offset - b.offset);
  const joined: ByteSpan[] = [];
  for (const part of sorted) {
    const last = joined.at(-1);
    if (last === undefined || part.offset > last.offset + last.length) {
      joined.push(part);
      continue;
    }
    const end = Math.max(last.offset + last.length, part.offset + part.length);
    joined[joined.length - 1] = { offset: last.offset, length: end - last.offset };
  }
  return joined.length === parts.length ? parts : joined;
}

/** The value of `Content-Range` for a part: `bytes 0-1/10`. */
export function contentRange({ offset, length }: ByteSpan, size: number): string {
  return `bytes ${offset}-${offset + length - 1}/${size}`;
}
