/**
 * From what was given on the command line, and elsewhere, to what is asked.
 *
 * @module
 */

import { type Settings, toSettings } from "./settings.ts";
import { fillIn, type GivenFlags, portOf, type Sources } from "./sources.ts";

/** What a command line asks for. */
export type CommandLine =
  | { readonly kind: "serve"; readonly settings: Settings }
  | { readonly kind: "explain"; readonly target: string; readonly settings: Settings }
  | { readonly kind: "print"; readonly text: string };

/** What stands on the command line. */
export interface Given {
  readonly port: number | undefined;
  readonly flags: GivenFlags;
}

/** Arguments that ask for a server, before it is known what other sources say. */
export interface Arguments {
  readonly kind: "arguments";
  /** The file of settings that they name; `false` for none. */
  readonly config: string | false | undefined;
  /** @throws {UsageError} When all sources together make no sense. */
  complete(sources: Sources): Exclude<CommandLine, { kind: "print" }>;
  /** What to call a flag whose value came from elsewhere; empty before `complete()`. */
  readonly origins: ReadonlyMap<string, string>;
}

/** What can be asked for with what was given. */
export function argumentsOf({ port, flags: given }: Given): Arguments {
  let origins: ReadonlyMap<string, string> = new Map();
  return {
    kind: "arguments",
    get origins() {
      return origins;
    },
    config: given.get("config") as string | false | undefined,
    complete(sources) {
      const { flags, ...filled } = fillIn(given, sources);
      origins = filled.origins;
      const settings = toSettings(port ?? portOf(sources), flags, sources.file?.path ?? null);
      return flags.explain === undefined
        ? { kind: "serve", settings }
        : { kind: "explain", target: flags.explain, settings };
    },
  };
}
