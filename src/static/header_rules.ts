/**
 * Headers of the operator's own, by path.
 *
 * @module
 */

import type { Fields } from "../fields.ts";
import { addVary, headerField } from "../header_field.ts";
import type { HeaderRule } from "./options.ts";
import { pathPattern } from "./path_pattern.ts";

/** Puts the operator's headers into an answer's. `path` is below the mount; `hasFile` when the body is a file's. */
export type ApplyHeaders = (headers: Pick<Fields, "get" | "set">, path: string, hasFile: boolean) => void;

/**
 * Compiles the rules; `null` when there are none.
 *
 * @throws {TypeError} For a name or value that cannot stand in a header, and for a name that is reserved.
 */
export function headerRules(rules: readonly HeaderRule[]): ApplyHeaders | null {
  if (rules.length === 0) return null;
  const compiled = rules.map((rule) => ({
    fits: pathPattern(rule.path),
    fields: Object.entries(rule.headers).map(([name, value]) => headerField(name, value)),
  }));
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
