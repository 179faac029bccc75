/**
 * What a listing's URL asks for: order, page, filter.
 *
 * @module
 */

import type { ListingSort } from "./options.ts";

/** A listing's query, checked. What makes no sense is as if it were not there. */
export interface ListingQuery {
  readonly sort: ListingSort;
  readonly order: "asc" | "desc";
  /** Part of a name, to narrow the listing down; empty for all. */
  readonly filter: string;
  /** From 1. */
  readonly page: number;
  /** Entries on a page, or `null` where the query leaves it to the form of the listing. */
  readonly limit: number | null;
}

/** Entries on an HTML page. */
export const PAGE_SIZE = 1000;

/** The most that one page may hold. */
const MAX_PAGE_SIZE = 10_000;

/** Reads `?sort=name|size|date&order=asc|desc&q=…&page=…&limit=…`. */
export function parseListingQuery(search: string): ListingQuery {
  const query = new URLSearchParams(search);
  const sort = query.get("sort");
  const limit = wholeNumber(query.get("limit"), MAX_PAGE_SIZE);
  const page = wholeNumber(query.get("page"), Number.MAX_SAFE_INTEGER);
  return {
    sort: sort === "size" || sort === "date" ? sort : "name",
    order: query.get("order") === "desc" ? "desc" : "asc",
    filter: (query.get("q") ?? "").slice(0, 255),
    page: page ?? 1,
    // A page without a limit is a page of the usual size.
    limit: limit ?? (page === null ? null : PAGE_SIZE),
  };
}

/**
 * The query that asks for this, with its `?`. Defaults are left out; `explicit` names page and limit all the same, for
 * forms that have no pages unless asked.
 */
export function formatListingQuery(query: Partial<ListingQuery>, explicit = false): string {
  const { sort = "name", order = "asc", filter = "", page = 1, limit = null } = query;
  const parts = new URLSearchParams();
  if (sort !== "name") parts.set("sort", sort);
  if (order !== "asc") parts.set("order", order);
  if (filter !== "") parts.set("q", filter);
  if (limit !== null && (explicit || limit !== PAGE_SIZE)) parts.set("limit", String(limit));
  if (explicit || page !== 1) parts.set("page", String(page));
  const text = parts.toString();
  return text === "" ? "" : `?${text}`;
}

function wholeNumber(text: string | null, max: number): number | null {
  if (text === null || !/^[1-9]\d{0,15}$/.test(text)) return null;
  return Math.min(Number(text), max);
}
