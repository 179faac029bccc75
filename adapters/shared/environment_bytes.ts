/**
 * The environment as the bytes that it is. Runtimes take it for UTF-8, but what a server decodes of a path may be
 * anything: Deno leaves such variables out, Node and Bun put U+FFFD in the place of bytes.
 *
 * @module
 */

/**
 * The variables in the content of `/proc/self/environ`. Bytes that are not UTF-8 become lone surrogates, 0x80 to 0xFF
 * as U+DC80 to U+DCFF, as Python does it (PEP 383).
 */
export function parseEnvironment(bytes: Uint8Array): Record<string, string> {
  const variables: Record<string, string> = Object.create(null);
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(0, start);
    const end = found < 0 ? bytes.length : found;
    const text = decode(bytes.subarray(start, end));
    const equals = text.indexOf("=", 1);
    if (equals > 0) variables[text.slice(0, equals)] = text.slice(equals + 1);
    start = end + 1;
  }
  return variables;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeOneByOne(bytes);
  }
}

function decodeOneByOne(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] as number);
    const character = length === 0 ? null : decodeCharacter(bytes.subarray(at, at + length));
    text += character ?? String.fromCharCode(0xdc00 + (bytes[at] as number));
    at += character === null ? 1 : length;
  }
  return text;
}

function decodeCharacter(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

/** How many bytes a character has that begins with this one; 0 when none does. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}
