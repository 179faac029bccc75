/**
 * Which names may be asked for at all, on every system alike: decided from the name alone, before any file is touched.
 *
 * @module
 */

import { isNameable } from "../request_path.ts";

/** What is done with names that begin with a dot. */
export type DotPolicy = boolean | "deny";

/**
 * Names that mean something else to Windows than to the one who checks them, and so get around checks made on the name.
 * They are refused everywhere, so that a site behaves the same wherever it is copied to: devices (`nul`, `com1.txt`),
 * drives (`c:`), streams with a type (`x.php::$DATA`, which is the source of `x.php`), short names (`SECRET~1.TXT`), and
 * the dots and spaces at the end that Windows takes away. A colon alone (`a:b.txt`) is an ordinary character elsewhere:
 * see {@linkcode isWindowsName}.
 */
const HAZARD = new RegExp(
  [
    "^(?:con|prn|aux|nul|conin\\$|conout\\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?: *\\.|$)",
    "^[a-z]:$",
    ":[^:]*:|:\\$",
    "^(?=.{2,8}(?:\\.|$))[^.]{1,6}~[0-9]{1,6}(?:\\.[^.]{0,3})?$",
    "[. ]$",
  ].join("|"),
  "i",
);

/** A lone surrogate has no UTF-8 form: such a name cannot be asked for. Apart, since both flags take 4 ms to compile. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/** Whether a segment of a path can name a file. */
export function isSafeName(segment: string): boolean {
  return segment !== "" && isNameable(segment) && !HAZARD.test(segment) && !LONE_SURROGATE.test(segment);
}

/** Whether Windows takes the name as a file's: a colon there leads to a stream. */
export function isWindowsName(segment: string): boolean {
  return !segment.includes(":");
}

/** Whether the dot policy covers the segment. Exactly `.well-known` (RFC 8615) is served always, what is in it is not. */
export function isDotName(segment: string): boolean {
  return segment.charCodeAt(0) === 46 && segment !== ".well-known";
}
