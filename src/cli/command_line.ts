/**
 * Any arguments: from them to what was given, a text to print, or a message that says what is wrong.
 *
 * @module
 */

import { CommanderError } from "commander";
import { type Arguments, argumentsOf, type CommandLine } from "./arguments.ts";
import { FOREIGN_FLAGS } from "./foreign_flags.ts";
import { createProgram, joinHeaders } from "./program.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Parses the arguments after the program's name, whatever they are. Loaded for those that {@linkcode plainArguments} does
 * not take, help and errors among them: the parser and all flags made known to it take a start several milliseconds.
 *
 * @throws {UsageError} When they make no sense.
 */
export function parseArguments(
  args: readonly string[],
  version: string,
): Arguments | Extract<CommandLine, { kind: "print" }> {
  let printed = "";
  const program = createProgram(version, (text) => printed += text);
  try {
    program.parse(joinHeaders(args, program), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "print", text: printed };
    const switches = program.options.filter(({ required }) => !required).map(({ long }) => long ?? "");
    throw new UsageError(explain(error, program.args, switches));
  }
  const [port] = program.processedArgs as [number | undefined];
  const given = Object.entries(program.opts()).filter(([key]) => program.getOptionValueSource(key) === "cli");
  return argumentsOf({ port, flags: new Map(given) });
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
