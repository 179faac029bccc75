/**
 * A listing for programs: JSON, one JSON object a line, plain text.
 *
 * @module
 */

import { formatDate } from "./listing_page.ts";
import type { ListingEntry } from "./options.ts";

/** A form of listing that is written entry by entry. */
export interface ListingFormat {
  readonly type: string;
  readonly start: string;
  readonly end: string;
  readonly separator: string;
  entry(entry: ListingEntry): string;
}

/** By media type as negotiated. */
export const LISTING_FORMATS: Readonly<Record<string, ListingFormat>> = {
  "application/json": {
    type: "application/json",
    start: "[",
    end: "]\n",
    separator: ",\n",
    entry: toJson,
  },
  "application/x-ndjson": {
    type: "application/x-ndjson",
    start: "",
    end: "",
    separator: "",
    entry: (entry) => `${toJson(entry)}\n`,
  },
  "text/plain": {
    type: "text/plain; charset=utf-8",
    start: "",
    end: "",
    separator: "",
    entry: toLine,
  },
};

/** Name, type, date and size as nginx's autoindex has them; `link` only where it is one. */
function toJson({ name, type, mtimeMs, size, link }: ListingEntry): string {
  const mtime = mtimeMs === null ? null : formatDate(mtimeMs);
  return JSON.stringify({
    name,
    type,
    ...(mtime === null ? {} : { mtime }),
    ...(size === null ? {} : { size }),
    ...(link ? { link } : {}),
  });
}

/** Date, size and name between tabs. A name cannot make a second line. */
function toLine({ name, type, mtimeMs, size }: ListingEntry): string {
  const mtime = mtimeMs === null ? null : formatDate(mtimeMs);
  const shown = name.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
  return `${mtime ?? "-"}\t${size ?? "-"}\t${shown}${type === "directory" ? "/" : ""}\n`;
}
