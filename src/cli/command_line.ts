/**
 * From the arguments to what is asked: settings, a text to print, or a message that says what is wrong.
 *
 * @module
 */

import { type Command, CommanderError } from "commander";
import type { Flags } from "./flags.ts";
import { FOREIGN_FLAGS } from "./foreign_flags.ts";
import { createProgram, joinHeaders } from "./program.ts";
import { type Settings, toSettings } from "./settings.ts";
import { fillIn, portOf, type Sources } from "./sources.ts";
import { UsageError } from "./usage_error.ts";

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
  try {
    return argumentsOf(parsedBy(createProgram(version, () => {}, args), args));
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  // Help, or an error: for that, all flags have to be known.
  let printed = "";
  const program = createProgram(version, (text) => printed += text);
  try {
    return argumentsOf(parsedBy(program, args));
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "print", text: printed };
    const switches = program.options.filter(({ required }) => !required).map(({ long }) => long ?? "");
    throw new UsageError(explain(error, program.args, switches));
  }
}

function parsedBy(program: Command, args: readonly string[]): Command {
  return program.parse(joinHeaders(args, program), { from: "user" });
}

function argumentsOf(program: Command): Arguments {
  let origins: ReadonlyMap<string, string> = new Map();
  return {
    kind: "arguments",
    get origins() {
      return origins;
    },
    config: program.opts<Flags>().config,
    complete(sources) {
      const [port] = program.processedArgs as [number | undefined];
      origins = fillIn(program, sources);
      const flags = program.opts<Flags>();
      const settings = toSettings(port ?? portOf(sources), flags, sources.file?.path ?? null);
      return flags.explain === undefined
        ? { kind: "serve", settings }
        : { kind: "explain", target: flags.explain, settings };
    },
  };
}

/** The parser's message as one line that says what to do. */
function explain(
  error: CommanderError,
  operands: readonly string[],
  switches: readonly string[],
): string {
  const [message = "", hint = ""] = error.message.replace(/^error: /, "").split("\n");
  switch (error.code) {
    case "commander.unknownOption": {
      const given = /'(.*)'/s.exec(message)?.[1] ?? "";
      const name = given.replace(/=.*/s, "");
      if (given !== name && switches.includes(name)) return `${name} takes no value: it is on or not there`;
      const foreign = Object.hasOwn(FOREIGN_FLAGS, name) ? FOREIGN_FLAGS[name] : undefined;
      const [, similar] = /\(Did you mean (.*)\?\)/.exec(hint) ?? [];
      return `${message}: ${
        foreign ?? (similar ? `did you mean ${similar}?` : "htbin --help lists them all")
      }`;
    }
    case "commander.optionMissingArgument": {
      const [, flags = ""] = /'(.*)'/.exec(message) ?? [];
      return `${flags.replace(/ <.*/, "").replace(/^-\w, /, "")} needs a value: ${
        flags.replace(/^-\w, /, "")
      }`;
    }
    case "commander.excessArguments":
      return `only one port can be given: ${operands.join(" ")}`;
    default:
      return message;
  }
}
