/**
 * htbin as its users start it: the command line, on each runtime.
 *
 * @module
 */

import { join } from "node:path";
import type { Contender } from "./contender.ts";
import { DOCUMENTS, PROJECT, type Runtime, runtimePath, RUNTIMES } from "./work.ts";

/** The command line's own words on a runtime: what npm installs, and JSR has as `./cli`. */
export const COMMANDS: Readonly<Record<Runtime, readonly string[]>> = {
  Node: [runtimePath("node"), join(PROJECT, "dist/cli.js")],
  Deno: [runtimePath("deno"), "run", "-A", join(PROJECT, "dist/cli.js")],
  Bun: [runtimePath("bun"), join(PROJECT, "dist/cli.js")],
};

/** htbin with these flags, on the three runtimes. */
export function htbin(flags: readonly string[], cases: RegExp, suffix = ""): readonly Contender[] {
  return RUNTIMES.map((runtime) => ({
    name: `htbin on ${runtime}${suffix}`,
    needs: [COMMANDS[runtime][0]!],
    version: ["--version"],
    cases,
    jit: true,
    paired: true,
    start: ({ port, log }) => ({
      argv: [
        ...COMMANDS[runtime],
        ...["--directory", DOCUMENTS, "--log", log ? "common" : "none", ...flags, String(port)],
      ],
    }),
  }));
}
