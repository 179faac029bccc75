/**
 * A listing as a response: form, page, validators.
 *
 * @module
 */

import { accepts } from "#std/http/negotiation";
import { addVary } from "../header_field.ts";
import { respond } from "../response.ts";
import type { Bytes } from "../runtime.ts";
import { compressBytes, compressStream, MIN_COMPRESSED_SIZE } from "./compression.ts";
import type { DirectoryView } from "./directory.ts";
import { acceptedCodings, type Coding } from "./encodings.ts";
import { formatHttpDate } from "./http_date.ts";
import { readNames, type SortedNames } from "./listing.ts";
import { LISTING_FORMATS, type ListingFormat } from "./listing_formats.ts";
import { listingPage, listingPolicy, listingRow } from "./listing_page.ts";
import { formatListingQuery, type ListingQuery, PAGE_SIZE, parseListingQuery } from "./listing_query.ts";
import type { FoundDirectory } from "./lookup.ts";
import type { Listing, ListingEntry, StaticOptions } from "./options.ts";
import { evaluateConditions } from "./preconditions.ts";
import { type Validators, wholeSeconds } from "./validators.ts";

/** What a listing is made from. */
export interface ListingRequest {
  readonly request: Request;
  readonly directory: FoundDirectory;
  /** Decoded path of the URL, mount included, with a slash at its end. */
  readonly path: string;
  /** Decoded path that the root is mounted at, without a slash at its end. */
  readonly mount: string;
  /** The query with its `?`. */
  readonly search: string;
  readonly render: StaticOptions["renderListing"];
  /** Codings to compress to on the fly, none by default. */
  readonly codings: readonly Coding[];
  readonly decorate: (headers: Headers) => void;
}

/** A listing's parts for one request. */
interface Page {
  readonly listing: Listing;
  /** The entries as they are written. */
  readonly texts: readonly string[];
  /** Of the newest entry on the page, or of the folder when it is newer. */
  readonly modified: number;
}

/** Answers GET or HEAD for a folder; `"failed"` is for 412. */
export async function listingResponse(
  view: DirectoryView,
  asked: ListingRequest,
): Promise<Response | "failed"> {
  const type = accepts(asked.request, "text/html", ...Object.keys(LISTING_FORMATS)) ?? "text/html";
  const query = parseListingQuery(asked.search);
  const names = await readNames(view, asked.directory, query);
  const format = LISTING_FORMATS[type];
  if (format === undefined) {
    const limit = query.limit ?? PAGE_SIZE;
    // Files may have gone since the link to the last page was made.
    const last = Math.max(1, Math.ceil(names.count / limit));
    const asPage = { ...query, page: Math.min(query.page, last) };
    return asked.render === undefined
      ? htmlResponse(asked, await readPage(asked, asPage, names, limit, listingRow))
      : renderedResponse(asked, await readPage(asked, asPage, names, limit, null), asked.render);
  }
  // Without a page asked for, programs get everything; what is larger than a page is never held as a whole.
  const limit = query.limit ?? Math.max(1, names.count);
  if (limit > PAGE_SIZE && names.count > PAGE_SIZE) {
    return streamedResponse(asked, query, names, limit, format);
  }
  const page = await readPage(asked, query, names, limit, format.entry);
  const headers = new Headers({ "content-type": format.type });
  addPageLinks(headers, page.listing, query);
  return bufferedResponse(
    asked,
    page,
    headers,
    format.start + page.texts.join(format.separator) + format.end,
  );
}

async function readPage(
  asked: ListingRequest,
  query: ListingQuery,
  names: SortedNames,
  limit: number,
  write: ((entry: ListingEntry) => string) | null,
): Promise<Page> {
  const entries: ListingEntry[] = [];
  const texts: string[] = [];
  const start = (query.page - 1) * limit;
  for await (const piece of names.entries(start, start + limit)) {
    entries.push(...piece);
    if (write !== null) texts.push(...piece.map(write));
  }
  let modified = 0;
  for (const { info } of asked.directory.places) modified = Math.max(modified, info.mtimeMs ?? 0);
  for (const { mtimeMs } of entries) modified = Math.max(modified, mtimeMs ?? 0);
  const { path, mount, request } = asked;
  const { sort, order, filter, page } = query;
  const pages = Math.max(1, Math.ceil(names.count / limit));
  const parent = asked.directory.segments.length > 0;
  const total = names.count;
  return {
    listing: { path, parent, entries, sort, order, filter, page, pages, limit, total, mount, request },
    texts,
    modified,
  };
}

async function htmlResponse(asked: ListingRequest, page: Page): Promise<Response | "failed"> {
  const headers = new Headers({
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": await listingPolicy(),
    "referrer-policy": "same-origin",
  });
  return bufferedResponse(asked, page, headers, listingPage(page.listing, page.texts));
}

/** The operator's own page. What it says of validators and caching is kept. */
async function renderedResponse(
  asked: ListingRequest,
  page: Page,
  render: NonNullable<StaticOptions["renderListing"]>,
): Promise<Response> {
  const response = await render(page.listing);
  const headers = new Headers(response.headers);
  addVary(headers, "accept");
  asked.decorate(headers);
  if (asked.request.method !== "HEAD") {
    return new Response(response.body, { status: response.status, headers });
  }
  await response.body?.cancel();
  return respond(response.status, headers, null);
}

/**
 * The tag is a hash of the very bytes: a file's size may change without a trace in the folder's date. The date is for
 * clients that have nothing better, and holds only when it is the same to the second: removing the newest entry takes
 * it back.
 */
async function bufferedResponse(
  asked: ListingRequest,
  page: Page,
  headers: Headers,
  text: string,
): Promise<Response | "failed"> {
  const plain = new TextEncoder().encode(text);
  const coding = plain.byteLength < MIN_COMPRESSED_SIZE ? undefined : codingFor(asked);
  const validators = await listingValidators(plain, page.modified, coding);
  const verdict = evaluateConditions(asked.request.headers, validators, true);
  if (verdict === "failed") return "failed";
  setCommonHeaders(headers, asked, coding);
  if (validators.tag !== null) headers.set("etag", validators.tag);
  if (verdict === "not-modified") {
    headers.delete("content-type");
    headers.delete("content-encoding");
    return respond(304, headers, null);
  }
  if (validators.modified !== null) headers.set("last-modified", formatHttpDate(validators.modified));
  const bytes = coding === undefined ? plain : await compressBytes(plain, coding);
  headers.set("content-length", String(bytes.byteLength));
  return respond(200, headers, asked.request.method === "HEAD" ? null : bytes);
}

function codingFor(asked: ListingRequest): Coding | undefined {
  return acceptedCodings(asked.request.headers.get("accept-encoding"), asked.codings)[0];
}

async function listingValidators(
  bytes: Bytes,
  modified: number,
  coding: Coding | undefined,
): Promise<Validators> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const tag = coding === undefined ? `"${hash}"` : `W/"${hash}-${coding}"`;
  // A folder that changed within this second may change again in it, and the date would not tell: it gets the second
  // before, which no later state has.
  const now = Date.now();
  const settled = now - modified >= 2000;
  const date = modified < 2000 ? null : wholeSeconds(Math.min(modified, now)) - (settled ? 0 : 1000);
  return { tag, modified: date, strongDate: false };
}

function setCommonHeaders(headers: Headers, asked: ListingRequest, coding: Coding | undefined): void {
  headers.set("vary", asked.codings.length === 0 ? "accept" : "accept, accept-encoding");
  if (coding !== undefined) headers.set("content-encoding", coding);
  headers.set("cache-control", "no-cache");
  headers.set("x-content-type-options", "nosniff");
  asked.decorate(headers);
}

/** Characters that are sent at once, at least: to send costs as much as to look for dozens of entries. */
const CHUNK = 8 * 1024;

/** More entries than a page holds: written as they are looked up. No length and no tag, both would need all of it first. */
function streamedResponse(
  asked: ListingRequest,
  query: ListingQuery,
  names: SortedNames,
  limit: number,
  format: ListingFormat,
): Response {
  const headers = new Headers({ "content-type": format.type });
  const coding = codingFor(asked);
  setCommonHeaders(headers, asked, coding);
  if (asked.request.method === "HEAD") return respond(200, headers, null);
  const start = (query.page - 1) * limit;
  const pieces = names.entries(start, start + limit);
  const encoder = new TextEncoder();
  let text = format.start;
  let isFirst = true;
  const body = new ReadableStream<Bytes>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await pieces.next();
        if (done) {
          text += format.end;
          if (text !== "") controller.enqueue(encoder.encode(text));
          controller.close();
          return;
        }
        for (const entry of value) {
          text += (isFirst ? "" : format.separator) + format.entry(entry);
          isFirst = false;
        }
        if (text.length < CHUNK) continue;
        controller.enqueue(encoder.encode(text));
        text = "";
        return;
      }
    },
    async cancel() {
      await pieces.return(undefined);
    },
  }, { highWaterMark: 0 });
  return respond(200, headers, coding === undefined ? body : compressStream(body, coding));
}

/** `Link` (RFC 8288) to the pages around this one. */
function addPageLinks(headers: Headers, listing: Listing, query: ListingQuery): void {
  const { page, pages, limit } = listing;
  if (pages === 1) return;
  const to = (number: number, rel: string) =>
    `<./${formatListingQuery({ ...query, limit, page: number }, true)}>; rel="${rel}"`;
  const links = [to(1, "first"), to(pages, "last")];
  if (page > 1) links.push(to(page - 1, "prev"));
  if (page < pages) links.push(to(page + 1, "next"));
  headers.set("link", links.join(", "));
}
