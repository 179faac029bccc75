/**
 * The bytes of a variable, one character for each: what a server has decoded may be in any encoding.
 *
 * @module
 */

/** The bytes of an environment variable: UTF-8, and lone surrogates (U+DC80 to U+DCFF) for what is not. */
export function toOctets(text: string): string {
  if (isAscii(text)) return text;
  let octets = "";
  for (const part of text.split(/([\udc80-\udcff])/u)) {
    if (/^[\udc80-\udcff]$/u.test(part)) octets += String.fromCharCode(part.charCodeAt(0) - 0xdc00);
    else for (const byte of new TextEncoder().encode(part)) octets += String.fromCharCode(byte);
  }
  return octets;
}

/** A decoded path, percent-encoded: all but what RFC 3986 section 3.3 allows in one. */
export function encodePath(octets: string): string {
  return octets.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g, percentEncode);
}

/** A query as it was sent, made fit for a URL: nothing but what could not stand in one is touched. */
export function encodeQuery(octets: string): string {
  return octets.replace(/[^\x21\x22\x24-\x7e]/g, percentEncode);
}

/** The bytes that a percent-encoded path stands for. A `%` that begins no escape stands for itself. */
export function decodePath(path: string): string {
  return path.replace(/%([0-9a-fA-F]{2})/g, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function percentEncode(octet: string): string {
  return `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text);
}
