/**
 * Headers of the operator's own, by path.
 *
 * @module
 */

import type { HeaderRule } from "./options.ts";
import { pathPattern } from "./path_pattern.ts";

/** Puts the operator's headers into an answer's. `path` is below the mount; `hasFile` when the body is a file's. */
export type ApplyHeaders = (headers: Headers, path: string, hasFile: boolean) => void;

/** They say where a message ends or what state it shows: set by hand, they would say it wrongly. */
const RESERVED = new Set([
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
 * Compiles the rules; `null` when there are none.
 *
 * @throws {TypeError} For a name or value that cannot stand in a header, and for a name that is reserved.
 */
export function headerRules(rules: readonly HeaderRule[]): ApplyHeaders | null {
  if (rules.length === 0) return null;
  const compiled = rules.map((rule) => ({ fits: pathPattern(rule.path), fields: checkedFields(rule) }));
  return (headers, path, hasFile) => {
    const done = new Set<string>();
    for (const { fits, fields } of compiled) {
      if (!fits(path)) continue;
      for (const [name, value] of fields) {
        if (done.has(name)) continue;
        done.add(name);
        if (!hasFile && name.startsWith("content-") && name !== "content-security-policy") continue;
        if (name === "vary") addVary(headers, value);
        else headers.set(name, value);
      }
    }
  };
}

/** Adds to `Vary` what is not in it yet. */
export function addVary(headers: Headers, names: string): void {
  const present = headers.get("vary");
  if (present === null) {
    headers.set("vary", names);
    return;
  }
  const have = new Set(present.toLowerCase().split(",").map((name) => name.trim()));
  const missing = names.split(",").map((name) => name.trim()).filter((name) => !have.has(name.toLowerCase()));
  if (missing.length > 0) headers.set("vary", [present, ...missing].join(", "));
}

function checkedFields(rule: HeaderRule): [string, string][] {
  return Object.entries(rule.headers).map(([name, value]) => {
    const key = name.toLowerCase();
    if (RESERVED.has(key)) {
      throw new TypeError(`Cannot set the header "${name}" by a rule: this server sets it`);
    }
    // The platform's own check takes line breaks at the ends of a value and trims them: refuse them here.
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(key) || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new TypeError(
        `Cannot set the header ${JSON.stringify(name)}: the name or value holds what a header cannot`,
      );
    }
    return [key, value.trim()];
  });
}
