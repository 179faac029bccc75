/**
 * The few variables of the server's own environment that scripts get without being asked for.
 *
 * @module
 */

import type { ProcessHost } from "../runtime.ts";

/** Where programs are looked for when the server itself has no PATH. */
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * What programs need to run at all, and to speak the operator's language. Everything else a server knows (passwords,
 * tokens) stays with it.
 */
export const INHERITED: readonly string[] = [
  "PATH",
  "TZ",
  "LANG",
  "LC_ALL",
  "LC_COLLATE",
  "LC_CTYPE",
  "LC_MESSAGES",
  "LC_MONETARY",
  "LC_NUMERIC",
  "LC_TIME",
  // Where the system's loader finds libraries (Linux and the BSDs, macOS, illumos).
  "LD_LIBRARY_PATH",
  "DYLD_LIBRARY_PATH",
  "LD_LIBRARY_PATH_32",
  "LD_LIBRARY_PATH_64",
  // Without these four hardly any program starts on Windows.
  "SYSTEMROOT",
  "COMSPEC",
  "PATHEXT",
  "WINDIR",
];

/** The inherited variables, with `more` names besides the built-in ones. PATH is always among them. */
export function inheritedVariables(
  processes: Pick<ProcessHost, "environment">,
  more: readonly string[],
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const name of [...INHERITED, ...more]) {
    const value = processes.environment(name);
    if (value !== undefined) variables.set(name, value);
  }
  if (!variables.get("PATH")) variables.set("PATH", DEFAULT_PATH);
  return variables;
}
