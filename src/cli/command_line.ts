/**
 * From the arguments to what is asked: settings, a text to print, or a message that says what is wrong.
 *
 * @module
 */

import { type GivenFlag, splitArguments } from "./arguments.ts";
import { flagsOf, settingName } from "./flags.ts";
import { helpText } from "./help.ts";
import { type Settings, toSettings } from "./settings.ts";
import { fillIn, portOf, type Sources } from "./sources.ts";
import { UsageError } from "./usage_error.ts";
import { port } from "./values.ts";

/** What a command line asks for. */
export type CommandLine =
  | { readonly kind: "serve"; readonly settings: Settings }
  | { readonly kind: "explain"; readonly target: string; readonly settings: Settings }
  | { readonly kind: "print"; readonly text: string };

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

/**
 * Parses the arguments after the program's name.
 *
 * @throws {UsageError} When they make no sense.
 */
export function parseArguments(
  args: readonly string[],
  version: string,
): Arguments | Extract<CommandLine, { kind: "print" }> {
  const split = splitArguments(args);
  if (split === "version") return { kind: "print", text: `${version}\n` };
  if (split === "help") return { kind: "print", text: helpText() };
  const { operands } = split;
  const given = valuesOf(split.flags);
  if (operands.length > 1) throw new UsageError(`only one port can be given: ${operands.join(" ")}`);
  const ownPort = operands[0] === undefined ? undefined : port.parse("port", operands[0]);
  let origins: ReadonlyMap<string, string> = new Map();
  return {
    kind: "arguments",
    get origins() {
      return origins;
    },
    config: flagsOf(given).config,
    complete(sources) {
      const values = new Map(given);
      origins = fillIn(values, sources);
      const flags = flagsOf(values);
      const settings = toSettings(ownPort ?? portOf(sources), flags, sources.file?.path ?? null);
      return flags.explain === undefined
        ? { kind: "serve", settings }
        : { kind: "explain", target: flags.explain, settings };
    },
  };
}

/** The values of settings, by name. */
function valuesOf(flags: readonly GivenFlag[]): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  for (const { declaration, value } of flags) {
    const name = settingName(declaration);
    const parsed = typeof value === "string"
      ? declaration.value?.parse(`--${name}`, value, values.get(name))
      : value;
    values.set(name, parsed);
  }
  return values;
}
