/**
 * Events as lines of text: as Python's server prints them, as Apache's "combined", or as JSON.
 *
 * @module
 */

import type { AccessEvent, LogEvent, MessageEvent, ScriptErrorEvent, ScriptExitEvent } from "./events.ts";
import { jsonRecord } from "./json.ts";

/**
 * How events are written.
 *
 * - `common`: requests as Python's `http.server` prints them, in local time, with the size where it is known
 * - `combined`: requests in Apache's combined format, which log analysers read
 * - `json`: everything as one JSON object a line, with the same names for every request: `time`, `type`, `id`, `remote`,
 *   `user`, `method`, `path`, `query`, `protocol`, `status`, `bytes`, `complete`, `durationMs`, `script`, `pid`,
 *   `exitStatus`, `signal`, `referer`, `userAgent`
 */
export type LogFormat = "common" | "combined" | "json";

/** All formats. */
export const LOG_FORMATS: readonly LogFormat[] = ["common", "combined", "json"];

/**
 * An event as one line, without a line end.
 *
 * What came from outside cannot end the line or reach the terminal: control characters are written as Python writes
 * them, `\x1b`, and a backslash as two. With `colours`, the status, the level of a message and the name of a script are
 * set off for a terminal; JSON never is.
 *
 * @example
 * ```ts
 * import { formatEvent } from "htbin";
 *
 * const line = formatEvent({
 *   type: "script-stderr",
 *   script: "/srv/cgi-bin/hello.py",
 *   pid: 123,
 *   line: "\x1b[31mred",
 * });
 * console.assert(line === String.raw`/srv/cgi-bin/hello.py[123]: \x1b[31mred`);
 * ```
 */
export function formatEvent(event: LogEvent, format: LogFormat = "common", colours = false): string {
  if (format === "json") return formatJson(event);
  const paint = colours ? paintSgr : leavePlain;
  switch (event.type) {
    case "access":
      return `${clientAndTime(event, format)}${requestAndAnswer(event, format, paint)}`;
    case "message":
      return formatMessage(event, paint);
    case "script-stderr":
      return `${paint(SCRIPT, `${speaker(event)}:`)} ${escape(event.line)}`;
    case "script-exit":
      return formatExit(event);
  }
}

/** Text as it is to look: `code` is what ECMA-48's SGR takes. */
type Paint = (code: string, text: string) => string;

const paintSgr: Paint = (code, text) => `\x1b[${code}m${text}\x1b[0m`;
const leavePlain: Paint = (_code, text) => text;

/**
 * From the 16 colours that every terminal has, in the shades its user has chosen, without those that do not show on
 * white (yellow) or on black (blue).
 */
const SCRIPT = "35";
const LEVELS = { error: "1;31", warning: "1;35", info: "0" } as const;

function statusColour(status: number): string {
  if (status >= 500) return LEVELS.error;
  if (status >= 400) return "35";
  return status >= 300 ? "36" : "32";
}

function formatMessage(event: MessageEvent, paint: Paint): string {
  const level = event.level === "info" ? "" : ` ${paint(LEVELS[event.level], `${event.level}:`)}`;
  const who = event.script === undefined ? "" : ` ${speaker(event)}:`;
  // Not escape(): a backslash may be part of a command to copy (`sed -i 's/\r$//' FILE`).
  return `htbin:${level}${who} ${printable(event.message)}`;
}

function formatExit(event: ScriptExitEvent): string {
  const how = event.signal === null ? `with ${event.code}` : `by ${event.signal}`;
  return `htbin: ${speaker(event)}: ended ${how} after ${Math.round(event.durationMs)} ms`;
}

function formatJson(event: LogEvent): string {
  const json = JSON.stringify(jsonRecord(event));
  // JSON leaves DEL and C1 alone, and U+009B starts a terminal's control sequences as ESC [ does.
  return json.replace(UNPRINTABLE, (character) => `\\u${hex(character, 4)}`);
}

/** The script that an event is about, as syslog names a program, and which request it answers. */
function speaker(event: MessageEvent | ScriptErrorEvent | ScriptExitEvent): string {
  const pid = event.pid === undefined ? "" : `[${event.pid}]`;
  const request = event.requestId === undefined ? "" : ` #${escape(event.requestId.slice(0, 8))}`;
  return `${escape(event.script ?? "")}${pid}${request}`;
}

/** The beginning of a line that was made. */
interface KnownBeginning extends Pick<AccessEvent, "remote" | "user"> {
  readonly second: number;
  readonly format: LogFormat;
  readonly text: string;
}

/** Many requests come in the same second, and most of those from one client come together. */
let lastBeginning: KnownBeginning | null = null;

/** Who has asked, and when: the beginning of a line. */
function clientAndTime({ remote, user, time }: AccessEvent, format: "common" | "combined"): string {
  const second = Math.floor(time.getTime() / 1000);
  const last = lastBeginning;
  if (last?.second === second && last.remote === remote && last.user === user && last.format === format) {
    return last.text;
  }
  const who = `${remote ?? "-"} - ${user === null ? "-" : escape(user)}`;
  const text = `${who} [${localTime(time, second)[format]}] `;
  lastBeginning = { second, remote, user, format, text };
  return text;
}

/** The end of a line that was made. */
interface KnownEnd
  extends Pick<AccessEvent, "method" | "protocol" | "status" | "bytes" | "referer" | "userAgent"> {
  readonly format: LogFormat;
  readonly paint: Paint;
  readonly text: string;
}

/** By targets, for each the one that was made last: most are asked for again, and answered alike. */
const ends = new Map<string, KnownEnd>();

/** The longest of these take a megabyte or two. */
const MAX_ENDS = 512;
const MAX_LENGTH = 1024;

/** What was asked for, and what came of it: the end of a line. */
function requestAndAnswer(event: AccessEvent, format: "common" | "combined", paint: Paint): string {
  const { method, target, protocol, status, bytes } = event;
  const referer = format === "common" ? null : event.referer;
  const userAgent = format === "common" ? null : event.userAgent;
  const known = ends.get(target);
  if (
    known !== undefined && known.status === status && known.bytes === bytes && known.method === method &&
    known.protocol === protocol && known.userAgent === userAgent && known.referer === referer &&
    known.format === format && known.paint === paint
  ) return known.text;
  const request = quote(`${method} ${target} ${protocol}`);
  const outcome = `${request} ${paint(statusColour(status), String(status))} ${bytes ?? "-"}`;
  const text = format === "common" ? outcome : `${outcome} ${quote(referer)} ${quote(userAgent)}`;
  if (text.length <= MAX_LENGTH) {
    if (known === undefined && ends.size >= MAX_ENDS) ends.delete(ends.keys().next().value!);
    ends.set(target, { method, protocol, status, bytes, referer, userAgent, format, paint, text });
  }
  return text;
}

function quote(text: string | null): string {
  if (text === null) return '"-"';
  return IS_SPECIAL.test(text) ? `"${escape(text).replaceAll('"', '\\"')}"` : `"${text}"`;
}

/** Text that can be told from what it escapes: control characters and the backslash itself are written out. */
function escape(text: string): string {
  return printable(text.replaceAll("\\", "\\\\"));
}

/** Control characters; what some take for the end of a line; what turns the direction of the text after it. */
const UNPRINTABLE = /[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/** Whether there is anything to escape in a text, or to quote: in most there is not. */
const IS_SPECIAL = /["\\\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;

/** Text that neither ends its line nor does anything to a terminal: control characters are written as `\x1b`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    return character < "\u0100" ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`;
  });
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, "0");
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A second, as the formats write it in local time. */
interface LocalTime {
  readonly second: number;
  /** `20/Nov/2026 12:00:00` */
  readonly common: string;
  /** `20/Nov/2026:12:00:00 +0100` */
  readonly combined: string;
}

let lastTime: LocalTime | null = null;

/** Also where clients take turns. */
function localTime(time: Date, second: number): LocalTime {
  if (lastTime?.second === second) return lastTime;
  const day = `${two(time.getDate())}/${MONTHS[time.getMonth()]}/${time.getFullYear()}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return lastTime = { second, common: `${day} ${clock}`, combined: `${day}:${clock} ${zone(time)}` };
}

/** `+0100` */
function zone(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  return `${sign}${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
