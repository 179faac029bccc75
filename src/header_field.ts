/**
 * Header fields that an operator adds to responses: which can be sent, and which are nobody's but the server's.
 *
 * @module
 */

import type { Fields } from "./fields.ts";

/** A name in lower case, and a value. */
export type HeaderField = readonly [name: string, value: string];

/** They say where a message ends or what state it shows: set by hand, they would say it wrongly. */
const RESERVED: ReadonlySet<string> = new Set([
  "accept-ranges",
  "connection",
  "content-length",
  "content-range",
  "date",
  "etag",
  "keep-alive",
  "last-modified",
  "location",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Checks a field.
 *
 * @throws {TypeError} For a name or value that cannot stand in a header (RFC 9110 section 5), and for a name that is the
 *   server's own.
 */
export function headerField(name: string, value: string): HeaderField {
  const key = name.toLowerCase();
  if (RESERVED.has(key)) throw new TypeError(`Cannot set the header "${name}": this server sets it`);
  // The platform's own check takes line breaks at the ends of a value and trims them: refuse them here.
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(key) || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw new TypeError(
      `Cannot set the header ${JSON.stringify(name)}: the name or value holds what a header cannot`,
    );
  }
  return [key, value.trim()];
}

/** They tell of one body, and every response has another. */
const OF_A_BODY: ReadonlySet<string> = new Set(["content-encoding", "content-type"]);

/**
 * Checks a field that every response shall have, whatever it is.
 *
 * @throws {TypeError} As {@linkcode headerField} does, and for what tells of one body.
 */
export function responseField(name: string, value: string): HeaderField {
  const field = headerField(name, value);
  if (!OF_A_BODY.has(field[0])) return field;
  throw new TypeError(`Cannot set the header "${name}" for every response: each body has its own`);
}

/** Adds to `Vary` what is not in it yet. */
export function addVary(headers: Pick<Fields, "get" | "set">, names: string): void {
  const present = headers.get("vary");
  if (present === null) {
    headers.set("vary", names);
    return;
  }
  const have = new Set(present.toLowerCase().split(",").map((name) => name.trim()));
  const missing = names.split(",").map((name) => name.trim()).filter((name) => !have.has(name.toLowerCase()));
  if (missing.length > 0) headers.set("vary", [present, ...missing].join(", "));
}
