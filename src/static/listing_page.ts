/**
 * A listing as an HTML page.
 *
 * @module
 */

import { escapeHtml } from "../error_page.ts";
import { formatListingQuery } from "./listing_query.ts";
import { ICONS, SCRIPT, STYLE } from "./listing_template.ts";
import type { Listing, ListingEntry, ListingSort } from "./options.ts";

/**
 * Renders the page around the rows of its entries. The same listing gives the same text, so that its hash can be its
 * entity tag.
 */
export function listingPage(listing: Listing, entries: readonly string[]): string {
  const title = `Directory listing for ${escapeHtml(visible(listing.path))}`;
  const rows = listing.parent ? [PARENT_ROW, ...entries] : entries;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Cpath fill='%23e0a32e' d='M2 6a2 2 0 0 1 2-2h5l2.500 3H20a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2z'/%3E%3C/svg%3E">
<style>${STYLE}</style>
</head>
<body${listing.pages === 1 ? ' data-whole=""' : ""}>
${ICONS}
<header>
${breadcrumbs(listing)}
<h1>${title}</h1>
</header>
<main>
<div class="bar">
<p id="count" aria-live="polite">${summary(listing)}</p>
${filterForm(listing)}
</div>
<div class="card">
<table>
<thead>
<tr>${head(listing, "name", "Name")}${head(listing, "size", "Size")}${
    head(listing, "date", 'Modified<span id="zone"> (UTC)</span>')
  }</tr>
</thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
<p id="none" class="none"${listing.entries.length > 0 ? " hidden" : ""}>${
    listing.filter === "" && listing.total === 0 ? "This folder is empty." : "No name matches."
  }</p>
</div>
${pageLinks(listing)}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

let policy: Promise<string> | undefined;

/** The page's Content-Security-Policy: its own style and script by their hash, and nothing else. */
export function listingPolicy(): Promise<string> {
  policy ??= Promise.all([hash(STYLE), hash(SCRIPT)]).then(([style, script]) =>
    `default-src 'none'; style-src '${style}'; script-src '${script}'; img-src data:; ` +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
  );
  return policy;
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}

const PARENT_ROW = '<tr class="up"><td><a href="../"><svg aria-hidden="true"><use href="#u"/></svg>' +
  "<span>Parent directory</span></a></td><td></td><td></td></tr>";

/** Renders a row of the table. */
export function listingRow(entry: ListingEntry): string {
  const folder = entry.type === "directory";
  const slash = folder ? "/" : "";
  const icon = folder ? '<svg class="d" aria-hidden="true"><use href="#d"/></svg>' : fileIcon(entry.name);
  const link = entry.link ? '<i title="Symbolic link">link</i>' : "";
  // Most names are written as they are.
  const isPlain = /^[\w.-]*$/.test(entry.name);
  const href = isPlain ? entry.name : escapeHtml(encodeURIComponent(entry.name));
  const shown = isPlain ? entry.name : escapeHtml(visible(entry.name));
  return `<tr><td><a href="${href}${slash}">${icon}<span>${shown}${slash}</span>${link}</a></td><td>${
    sizeCell(entry.size)
  }</td><td>${dateCell(entry.mtimeMs)}</td></tr>`;
}

const ICON_BY_ENDING: ReadonlyMap<string, string> = new Map(
  Object.entries({
    p: "png jpg jpeg gif webp avif svg ico bmp tif tiff heic jxl",
    v: "mp4 webm mkv mov avi m4v ogv",
    a: "mp3 flac wav ogg opus m4a aac",
    z: "zip gz tgz bz2 xz zst br tar 7z rar jar deb rpm",
    t: "txt md pdf html htm rtf doc docx odt log csv epub",
    c: "js mjs cjs ts tsx jsx css json xml yaml yml toml wasm sh py rb pl php c h cc cpp rs go java sql",
  }).flatMap(([icon, endings]) => endings.split(" ").map((ending) => [ending, icon] as const)),
);

function fileIcon(name: string): string {
  const icon = ICON_BY_ENDING.get(name.slice(name.lastIndexOf(".") + 1).toLowerCase()) ?? "f";
  return `<svg class="${icon}" aria-hidden="true"><use href="#${icon}"/></svg>`;
}

function sizeCell(size: number | null): string {
  return size === null ? "" : `<span title="${size} bytes">${formatSize(size)}</span>`;
}

/** A size for people: `10 B`, `1.4 kB`, `23 MB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  for (const unit of ["kB", "MB", "GB", "TB", "PB"]) {
    value /= 1000;
    if (value < 9.95) return `${value.toFixed(1)} ${unit}`;
    if (value < 999.5) return `${value.toFixed(0)} ${unit}`;
  }
  return `${(value / 1000).toFixed(0)} EB`;
}

function dateCell(mtimeMs: number | null): string {
  const date = mtimeMs === null ? null : formatDate(mtimeMs);
  return date === null ? "" : `<time datetime="${date}">${date.slice(0, -10)} ${date.slice(-9, -4)}</time>`;
}

/** A date as `2024-01-02T03:04:05Z`, or `null` for one that no calendar holds. */
export function formatDate(ms: number): string | null {
  if (Math.abs(ms) > 8.64e15) return null;
  const whole = Math.trunc(ms);
  const day = Math.floor(whole / 86_400_000);
  // To take a date apart costs more than all the rest of a row, and most of a folder are of few days.
  if (day !== lastDay) {
    lastDay = day;
    lastDate = new Date(day * 86_400_000).toISOString().slice(0, -"00:00:00.000Z".length);
  }
  const seconds = Math.floor((whole - day * 86_400_000) / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${lastDate}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}:${
    twoDigits(seconds % 60)
  }Z`;
}

let lastDay = NaN;
let lastDate = "";

function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

/** The folders above, each with its link: relative, so that they hold whatever prefix a proxy takes away. */
function breadcrumbs(listing: Listing): string {
  const below = listing.path.slice(listing.mount.length).split("/").filter((segment) => segment !== "");
  const home = '<svg aria-hidden="true"><use href="#h"/></svg>';
  const items = [home, ...below.map((segment) => escapeHtml(visible(segment)))].map((label, index) => {
    const up = below.length - index;
    const name = index === 0 ? ' aria-label="Home"' : "";
    return up === 0
      ? `<li><span aria-current="page"${index === 0 ? ' role="img"' : ""}${name}>${label}</span></li>`
      : `<li><a href="${"../".repeat(up)}"${name}>${label}</a></li>`;
  });
  return `<nav class="crumbs" aria-label="Breadcrumbs"><ol>${items.join("")}</ol></nav>`;
}

function summary({ total, pages, page, limit, entries, filter }: Listing): string {
  const what = filter === "" ? "" : ` with “${escapeHtml(visible(filter))}”`;
  const all = `${grouped(total)} ${total === 1 ? "entry" : "entries"}${what}`;
  if (pages === 1 || entries.length === 0) return all;
  const from = (page - 1) * limit + 1;
  return `${grouped(from)}–${grouped(Math.min(from + limit - 1, total))} of ${all}`;
}

function grouped(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

function filterForm({ filter, sort, order, limit }: Listing): string {
  const kept = [...new URLSearchParams(formatListingQuery({ sort, order, limit }))]
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`).join("");
  return `<form role="search" action="./">${kept}<input type="search" name="q" value="${
    escapeHtml(filter)
  }" placeholder="Filter names" aria-label="Filter names" aria-keyshortcuts="/" autocomplete="off" spellcheck="false"><button>Filter</button></form>`;
}

function head(listing: Listing, sort: ListingSort, label: string): string {
  const current = listing.sort === sort;
  // What is largest or newest is what one looks for first.
  const first = sort === "name" ? "asc" : "desc";
  const order = current ? (listing.order === "asc" ? "desc" : "asc") : first;
  const query = formatListingQuery({ sort, order, filter: listing.filter, limit: listing.limit });
  const state = current ? ` aria-sort="${listing.order === "asc" ? "ascending" : "descending"}"` : "";
  return `<th scope="col"${state}><a href="./${escapeHtml(query)}">${label}</a></th>`;
}

function pageLinks(listing: Listing): string {
  const { page, pages } = listing;
  if (pages === 1) return "";
  const numbers = [...new Set([1, page - 1, page, page + 1, pages])].filter((n) => n >= 1 && n <= pages);
  const items: string[] = [];
  if (page > 1) items.push(pageLink(listing, page - 1, "Previous", ' rel="prev"'));
  numbers.forEach((number, index) => {
    if (index > 0 && number - (numbers[index - 1] as number) > 1) {
      items.push('<span aria-hidden="true">…</span>');
    }
    items.push(
      number === page
        ? `<span aria-current="page">${grouped(number)}</span>`
        : pageLink(listing, number, grouped(number)),
    );
  });
  if (page < pages) items.push(pageLink(listing, page + 1, "Next", ' rel="next"'));
  return `<nav class="pages" aria-label="Pages"><ol>${
    items.map((item) => `<li>${item}</li>`).join("")
  }</ol></nav>`;
}

function pageLink(listing: Listing, page: number, label: string, attributes = ""): string {
  const { sort, order, filter, limit } = listing;
  const query = formatListingQuery({ sort, order, filter, limit, page });
  return `<a href="./${escapeHtml(query)}"${attributes}>${label}</a>`;
}

/** Text without what would not be seen, or would turn round what is: a name with U+202E reads backwards. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
