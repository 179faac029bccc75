/**
 * Dates in header fields (RFC 9110 section 5.6.7).
 *
 * @module
 */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const IMF_FIXDATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC_850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;

/** Clients ask with the dates that they were given: what these say. */
const known = new Map<string, number | null>();

/** Each takes about 100 bytes. */
const MOST_KNOWN = 1000;

/** Formats milliseconds since 1970 as `Tue, 02 Jan 2024 03:04:05 GMT`. */
export function formatHttpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

/**
 * Parses a date in any of the three forms a recipient must take, to milliseconds since 1970. `null` for anything else:
 * `Date.parse()` would take much more, and a condition with such a value must be ignored.
 */
export function parseHttpDate(text: string): number | null {
  const before = known.get(text);
  if (before !== undefined) return before;
  const value = text.trim();
  let match = IMF_FIXDATE.exec(value);
  if (match !== null) {
    const [, day, month, year, hour, minute, second] = match as unknown as string[];
    const time = toTime(Number(year), month as string, day, hour, minute, second);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(value, time);
    return time;
  }
  match = RFC_850.exec(value);
  if (match !== null) {
    const [, day, month, year, hour, minute, second] = match as unknown as string[];
    return toTime(fullYear(Number(year)), month as string, day, hour, minute, second);
  }
  match = ASCTIME.exec(value);
  if (match === null) return null;
  const [, month, day, hour, minute, second, year] = match as unknown as string[];
  return toTime(Number(year), month as string, day, hour, minute, second);
}

function toTime(
  year: number,
  monthName: string,
  ...[day, hour, minute, second]: (string | undefined)[]
): number | null {
  const month = MONTHS.indexOf(monthName);
  if (month < 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month, Number(day));
  if (date.getUTCDate() !== Number(day)) return null;
  return date.setUTCHours(Number(hour), Number(minute), Number(second));
}

/** A year of two digits that seems more than 50 years ahead is the last one in the past that ends in them. */
function fullYear(twoDigits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - now % 100 + twoDigits;
  return year > now + 50 ? year - 100 : year;
}
