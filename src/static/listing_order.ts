/**
 * The order of a listing: folders first, then by name, size or date.
 *
 * @module
 */

import type { ListingSort } from "./options.ts";

/** What an entry is ordered by. */
export interface Sortable {
  /** Of {@linkcode sortKey}: made once, compared often. */
  readonly key: string;
  readonly name: string;
  readonly directory: boolean;
  readonly size?: number | null;
  readonly mtimeMs?: number | null;
}

/**
 * What names are compared by: without regard to case, numbers by their value (`file2` before `file10`). Plain strings
 * compare much faster than a collator does, which counts with a hundred thousand of them.
 */
export function sortKey(name: string): string {
  return name.toLowerCase().replace(/\d+/g, (digits) => {
    const value = digits.startsWith("0") ? digits.replace(/^0+(?=\d)/, "") : digits;
    // A longer number is a larger one: the count of its digits goes first, itself counted in front of long ones.
    return value.length < 9 ? `${value.length}${value}` : `9${String(value.length).padStart(3, "0")}${value}`;
  });
}

/** The comparison for an order. Folders stay first either way; what is equal goes by name. */
export function listingOrder(
  sort: ListingSort,
  order: "asc" | "desc",
): (a: Sortable, b: Sortable) => number {
  const sign = order === "desc" ? -1 : 1;
  return (a, b) => {
    if (a.directory !== b.directory) return a.directory ? -1 : 1;
    let difference = 0;
    if (sort === "size") difference = (a.size ?? -1) - (b.size ?? -1);
    if (sort === "date") difference = (a.mtimeMs ?? 0) - (b.mtimeMs ?? 0);
    if (difference !== 0) return sign * difference;
    const byName = compareText(a.key, b.key) || compareText(a.name, b.name);
    return sort === "name" ? sign * byName : byName;
  };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
