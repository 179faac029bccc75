/**
 * The head of a response as CGI output.
 *
 * @module
 */

import { STATUS_TEXT } from "#std/http/status";
import type { SendOptions } from "./response.ts";

/** Fields about the connection, which is the server's (RFC 9110 section 7.6.1), and what would be taken for the status. */
const WITHHELD: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "status",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The lines up to the blank one, one byte for each character of the fields. `Status` is the first, and has a phrase:
 * that is how busybox knows it.
 *
 * @param length Of the whole body, where it is known: for a response that does not say so itself.
 */
export function responseHead(
  response: Response,
  length: number | null,
  { nph = false, closes = nph, publish }: SendOptions,
): Uint8Array {
  const { status, headers } = response;
  if (!(Number.isInteger(status) && status >= 200 && status <= 999)) {
    throw new TypeError(`The status ${status} cannot be a script's`);
  }
  const phrase = response.statusText || (STATUS_TEXT[status] ?? "Unknown");
  const lines = [`${nph ? "HTTP/1.1" : "Status:"} ${status} ${phrase}`];
  headers.forEach((value, name) => {
    if (!WITHHELD.has(name)) lines.push(`${name}: ${publish === undefined ? value : publish(name, value)}`);
  });
  if (response.body !== null && !headers.has("content-type")) {
    // A body must have a type (RFC 3875 section 6.3.1); this one says that it is not known.
    lines.push("content-type: application/octet-stream");
  }
  if (length !== null && !headers.has("content-length")) lines.push(`content-length: ${length}`);
  if (nph && !headers.has("date")) lines.push(`date: ${new Date().toUTCString()}`);
  if (closes) lines.push("connection: close");
  return toBytes(lines);
}

function toBytes(lines: readonly string[]): Uint8Array {
  const bad = lines.find((line) => /[^\t\x20-\xff]|\x7f/.test(line));
  if (bad !== undefined) throw new TypeError(`No line of a head can be ${JSON.stringify(bad)}`);
  return Uint8Array.from(`${lines.join("\r\n")}\r\n\r\n`, (character) => character.charCodeAt(0));
}
