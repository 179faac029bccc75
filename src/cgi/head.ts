/**
 * Reads the head of a script's output: the lines up to the first blank one, in whatever pieces they come.
 *
 * Lines end with LF or CRLF, also mixed (RFC 3875 section 6.3, 7.2). Field values are kept byte by byte (one character
 * for each byte), so that they reach the client as they were written.
 *
 * @module
 */

import type { Bytes } from "../runtime.ts";

/** All of a head may hold this many bytes, interim responses included; no single line has a smaller limit. */
export const HEAD_LIMIT = 65_536;

/** A script may write this many interim (1xx) responses before the one that counts. */
const INTERIM_LIMIT = 16;

/** A field of a script's head. */
export type Field = readonly [name: string, value: string];

/** A script's head, whole. */
export interface ScriptHead {
  /** From `Status` or from the status line, or `null` when the script said nothing. */
  readonly status: number | null;
  /** What followed the number. */
  readonly statusText: string;
  /** Whether it began with an `HTTP/` status line (RFC 3875 section 5). */
  readonly statusLine: boolean;
  /** All fields but `Status`, in order. Names as written, values one character per byte. */
  readonly fields: readonly Field[];
}

/** What is known after a piece of output. */
export type HeadProgress =
  | { readonly kind: "more" }
  | {
    readonly kind: "head";
    readonly head: ScriptHead;
    /** What was read beyond the head: the beginning of the body. */
    readonly rest: Bytes;
  }
  /** The output is not a response. `reason` completes "the script's output is no response: …". */
  | { readonly kind: "bad"; readonly reason: string; readonly advice?: string };

/** Takes a script's output piece by piece until its head is known. */
export interface HeadReader {
  push(chunk: Bytes): HeadProgress;
  /** The output has ended. */
  end(): HeadProgress;
  /** The first bytes of the output, for showing what was wrong with it. */
  sample(): Bytes;
}

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const LESS_THAN = 0x3c;
const NO_BYTES: Bytes = new Uint8Array(0);
const MORE: HeadProgress = { kind: "more" };
const SAMPLE_SIZE = 512;

/**
 * What Python's cgitb begins its page with, headers or not: a comment for a browser that is in the body already. Nothing
 * else is written like it, and nothing is lost with it.
 */
const CGITB_LINE = "<!--: spam";

/** For the commonest mistake of all. */
const BEGIN_WITH_HEADERS =
  "a script's output begins with headers, such as Content-Type: text/html, and a blank line";

/** A refusal on its way out of the line parser. Never leaves this file. */
interface Refusal {
  readonly refused: string;
  /** What to do about it, if it is the first line. */
  readonly advice?: string;
}

/**
 * Makes a reader for one script's output.
 *
 * A strict reader refuses every line that is not a header field of its own. A lenient one skips such a line, and when
 * the very first line is none, takes the whole output for a body.
 */
export function createHeadReader(strict: boolean): HeadReader {
  const store = createStore();
  let block = createBlock(strict);
  let lineStart = 0;
  let scanned = 0;
  let interim = 0;

  function push(chunk: Bytes): HeadProgress {
    store.append(chunk);
    const bytes = store.bytes();
    for (;;) {
      const lineFeed = bytes.indexOf(LF, scanned);
      if (lineFeed < 0 || lineFeed >= HEAD_LIMIT) break;
      const progress = takeLine(bytes, lineStart, lineEnd(bytes, lineStart, lineFeed));
      lineStart = scanned = lineFeed + 1;
      if (progress !== MORE) return progress;
    }
    scanned = bytes.length;
    if (bytes.length <= HEAD_LIMIT) return MORE;
    if (!strict && block.isUntouched() && interim === 0) return bodyOnly();
    return bad(`more than ${HEAD_LIMIT} bytes of headers`);
  }

  function takeLine(bytes: Bytes, start: number, end: number): HeadProgress {
    if (start === end) return endBlock(bytes);
    if (bytes[start] === LESS_THAN && latin1(bytes, start, end) === CGITB_LINE) return MORE;
    const refusal = block.take(bytes, start, end);
    if (refusal === null) return MORE;
    if (!strict && block.isUntouched() && interim === 0) return bodyOnly();
    return bad(refusal.refused, block.isUntouched() ? refusal.advice : undefined);
  }

  function endBlock(bytes: Bytes): HeadProgress {
    const status = block.status();
    if (status !== null && status < 200) {
      if (status === 101) return bad("101 Switching Protocols, which is not offered to scripts");
      if (++interim > INTERIM_LIMIT) return bad(`more than ${INTERIM_LIMIT} interim (1xx) responses`);
      block = createBlock(strict);
      return MORE;
    }
    if (strict && block.isUntouched()) {
      return bad("a blank line where the first header belongs", BEGIN_WITH_HEADERS);
    }
    // The blank line's own end has not been passed yet: the rest begins after its line feed.
    const rest = bytes.subarray(bytes.indexOf(LF, lineStart) + 1);
    return { kind: "head", head: block.head(), rest };
  }

  function end(): HeadProgress {
    const bytes = store.bytes();
    if (bytes.length === 0) return bad("nothing at all");
    if (strict) return missingBlankLine(bytes, lineStart);
    if (lineStart < bytes.length) {
      const refusal = block.take(bytes, lineStart, lineEnd(bytes, lineStart, bytes.length));
      if (refusal !== null && block.isUntouched() && interim === 0) return bodyOnly();
      lineStart = bytes.length;
    }
    if (block.isUntouched() || (block.status() ?? 200) < 200) return bad(NO_BLANK_LINE);
    return { kind: "head", head: block.head(), rest: NO_BYTES };
  }

  function bodyOnly(): HeadProgress {
    return { kind: "head", head: createBlock(strict).head(), rest: store.bytes() };
  }

  return { push, end, sample: () => store.bytes().slice(0, SAMPLE_SIZE) };
}

function bad(reason: string, advice?: string): HeadProgress {
  return { kind: "bad", reason, ...(advice === undefined ? {} : { advice }) };
}

const NO_BLANK_LINE = "no blank line after the headers";

function missingBlankLine(bytes: Bytes, lineStart: number): HeadProgress {
  const last = bytes.subarray(lineStart, lineEnd(bytes, lineStart, bytes.length));
  // Text without any header is the commoner mistake, and deserves its own name.
  if (lineStart === 0 && !last.includes(COLON)) {
    return bad(`a first line that is not a header: ${quoteBytes(last)}`, BEGIN_WITH_HEADERS);
  }
  return bad(NO_BLANK_LINE);
}

/** Where a line ends without its CR. */
function lineEnd(bytes: Bytes, start: number, lineFeed: number): number {
  return lineFeed > start && bytes[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
}

/** The fields up to one blank line. */
interface Block {
  status(): number | null;
  /** Whether no line of it has been accepted yet. */
  isUntouched(): boolean;
  take(bytes: Bytes, start: number, end: number): Refusal | null;
  head(): ScriptHead;
}

function createBlock(strict: boolean): Block {
  let status: number | null = null;
  let statusText = "";
  let statusLine = false;
  let lines = 0;
  const fields: Field[] = [];

  function take(bytes: Bytes, start: number, end: number): Refusal | null {
    if (lines === 0 && startsWithHttp(bytes, start, end)) return takeStatusLine(latin1(bytes, start, end));
    const field = strict ? parseField(bytes, start, end) : parseFieldLeniently(bytes, start, end);
    if ("refused" in field) {
      // In lenient mode a bad line after a good one is skipped.
      return strict || lines === 0 ? field : null;
    }
    lines += 1;
    if (field[0].toLowerCase() === "status") return takeStatus(field[1]);
    fields.push(field);
    return null;
  }

  function takeStatusLine(line: string): Refusal | null {
    const match = /^HTTP\/\d+(?:\.\d+)?[ \t]+(\d{3})(?:[ \t]+(.*))?$/.exec(line);
    const code = match === null ? 0 : Number(match[1]);
    lines += 1;
    if (match === null || !isStatus(code)) return refuse(`a status line that is none: ${quote(line)}`);
    [status, statusText, statusLine] = [code, match[2] ?? "", true];
    return null;
  }

  function takeStatus(value: string): Refusal | null {
    const match = /^(\d{3})(?:[ \t]+(.*))?$/.exec(value);
    const code = match === null ? 0 : Number(match[1]);
    // Never skipped, not even by a lenient reader: what was meant as an error must not become 200.
    if (match === null || !isStatus(code)) {
      return refuse(`a Status that is not a number from 100 to 599: ${quote(value)}`);
    }
    // The status line, or the first of several, has said it already (RFC 3875 section 6.3: not more than once).
    if (status !== null && status !== code) return refuse(`two statuses: ${status} and ${code}`);
    [status, statusText] = [code, match[2] ?? ""];
    return null;
  }

  return {
    status: () => status,
    isUntouched: () => lines === 0,
    take,
    head: () => ({ status, statusText, statusLine, fields }),
  };
}

function isStatus(code: number): boolean {
  return code >= 100 && code <= 599;
}

function startsWithHttp(bytes: Bytes, start: number, end: number): boolean {
  return end - start >= 5 && bytes[start] === 0x48 && bytes[start + 1] === 0x54 &&
    bytes[start + 2] === 0x54 && bytes[start + 3] === 0x50 && bytes[start + 4] === 0x2f;
}

/** One line as a field, or why it is none (RFC 3875 section 6.3, RFC 9110 section 5). */
function parseField(bytes: Bytes, start: number, end: number): Field | Refusal {
  const line = () => quoteBytes(bytes.subarray(start, end));
  if (bytes[start] === SP || bytes[start] === TAB) {
    return refuse(`a continued (folded) header line: ${line()}`);
  }
  const colon = indexOfColon(bytes, start, end);
  if (colon < 0) return { refused: `a line that is not a header: ${line()}`, advice: BEGIN_WITH_HEADERS };
  if (colon === start) return refuse(`a header without a name: ${line()}`);
  if (bytes[colon - 1] === SP || bytes[colon - 1] === TAB) {
    return refuse(`a space before the colon: ${line()}`);
  }
  for (let at = start; at < colon; at++) {
    if (!isNameByte(bytes[at]!)) return refuse(wrongName(bytes, start, colon));
  }
  return withValue(bytes, start, colon, end);
}

/** Takes any token for a name, and space before the colon; drops the carriage returns of a text-mode `\r\r\n`. */
function parseFieldLeniently(bytes: Bytes, start: number, end: number): Field | Refusal {
  while (end > start && bytes[end - 1] === CR) end -= 1;
  const colon = indexOfColon(bytes, start, end);
  let nameEnd = colon;
  while (nameEnd > start && (bytes[nameEnd - 1] === SP || bytes[nameEnd - 1] === TAB)) nameEnd -= 1;
  const name = latin1(bytes, start, Math.max(start, nameEnd));
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
    return refuse(`a first line that is not a header: ${quoteBytes(bytes.subarray(start, end))}`);
  }
  const field = withValue(bytes, start, colon, end);
  return "refused" in field ? field : [name, field[1]];
}

function withValue(bytes: Bytes, start: number, colon: number, end: number): Field | Refusal {
  const name = latin1(bytes, start, colon);
  let from = colon + 1;
  let to = end;
  while (from < to && (bytes[from] === SP || bytes[from] === TAB)) from += 1;
  while (to > from && (bytes[to - 1] === SP || bytes[to - 1] === TAB)) to -= 1;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    // A bare CR or NUL is how a header is smuggled past one reader to another (RFC 9110 section 5.5).
    if ((byte < SP && byte !== TAB) || byte === 0x7f) {
      return refuse(`a control character in the value of ${quote(name)}`);
    }
  }
  return [name, latin1(bytes, from, to)];
}

function wrongName(bytes: Bytes, start: number, colon: number): string {
  if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) {
    return "a byte order mark before the first header (save the script without one)";
  }
  return `a header name with other than letters, digits and "-": ${quoteBytes(bytes.subarray(start, colon))}`;
}

function indexOfColon(bytes: Bytes, start: number, end: number): number {
  const colon = bytes.indexOf(COLON, start);
  return colon < end ? colon : -1;
}

/** The characters that a name may have on its way in too: others cannot be told apart as `HTTP_*` variables. */
function isNameByte(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d;
}

function refuse(reason: string): Refusal {
  return { refused: reason };
}

/** Pieces of output as one array, without copying while there is only one. */
interface Store {
  append(chunk: Bytes): void;
  bytes(): Bytes;
}

function createStore(): Store {
  let held: Bytes = NO_BYTES;
  let length = 0;
  return {
    append(chunk) {
      if (length === 0) {
        held = chunk;
        length = chunk.length;
        return;
      }
      const needed = length + chunk.length;
      if (needed > held.length) {
        // Doubled, so that output that comes byte by byte costs no more than its length.
        const larger: Bytes = new Uint8Array(Math.max(needed, 2 * held.length, 1024));
        larger.set(held.subarray(0, length));
        held = larger;
      }
      held.set(chunk, length);
      length = needed;
    },
    bytes: () => held.length === length ? held : held.subarray(0, length),
  };
}

/** One character for each byte. (`TextDecoder("latin1")` is windows-1252, which moves 0x80 to 0x9f.) */
export function latin1(bytes: Bytes, start = 0, end: number = bytes.length): string {
  let text = "";
  for (let at = start; at < end; at += 4096) {
    const piece = bytes.subarray(at, Math.min(end, at + 4096));
    // Many times faster than spreading the array.
    text += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return text;
}

const QUOTED = 60;

function quoteBytes(bytes: Bytes): string {
  return quote(latin1(bytes, 0, Math.min(bytes.length, QUOTED + 1)));
}

/** Text from a script for a log line: cut short, nothing but printable ASCII left. */
export function quote(text: string): string {
  const cut = text.length > QUOTED ? text.slice(0, QUOTED) : text;
  const escaped = cut.replace(/[^\x20-\x7e]|["\\]/g, escapeCharacter);
  return `"${escaped}"${cut === text ? "" : "…"}`;
}

function escapeCharacter(character: string): string {
  if (character === '"' || character === "\\") return "\\" + character;
  if (character === "\t") return "\\t";
  if (character === "\r") return "\\r";
  if (character === "\n") return "\\n";
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
