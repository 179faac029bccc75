/**
 * The parser, made of the declared settings.
 *
 * @module
 */

import { Command, Option } from "commander";
import { type Declaration, DECLARATIONS, isOnByDefault, settingName } from "./flags.ts";
import * as value from "./values.ts";

const AFTER = `
(*) may be given several times.
Each setting can also be a variable of the environment (HTBIN_CGI_DIR=scripts)
or stand in htbin.json ({ "cgi-dir": "scripts" }). The flag counts first, then
the variable. --no-NAME takes a switch back, --no-config ignores htbin.json.

Examples:
  htbin                            this folder, on http://127.0.0.1:8000/
  htbin --cgi 9000                 and its scripts, on port 9000
  htbin -d public -b 0.0.0.0       another folder, for other machines too
  htbin --cgi --explain /cgi-bin/x why a script does not run`;

/**
 * Makes it. `version` is the text that `--version` prints. It writes through `print`, and throws to end.
 */
export function createProgram(version: string, print: (text: string) => void): Command {
  const program = new Command("htbin");
  program
    .exitOverride()
    .configureOutput({
      writeOut: print,
      // Failures are told through the error that is thrown, on one line.
      writeErr: () => {},
      // Asking the terminal or the environment would need a permission on Deno, and make the text vary.
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .description("Serves the files of a folder over HTTP, and runs its CGI scripts.")
    .argument(
      "[port]",
      "port to listen on; 0 for any (default: 8000, or the next free one)",
      (text) => value.port.parse("port", text),
    )
    .addHelpText("after", AFTER);
  for (const [heading, declarations] of DECLARATIONS) {
    program.optionsGroup(heading);
    for (const declaration of declarations) {
      program.addOption(optionOf(declaration));
      const opposite = oppositeOf(declaration);
      if (opposite !== null) program.addOption(new Option(opposite).hideHelp());
    }
  }
  return program
    .version(version, "-V, --version", "print the versions of htbin and of the runtime")
    .helpOption("-h, --help", "print this help");
}

function optionOf({ flags, help, value, otherwise }: Declaration): Option {
  const option = new Option(flags, help);
  const name = option.long ?? flags;
  if (value !== undefined) {
    option.argParser<unknown>((text, previous) => value.parse(name, text, previous));
  }
  if (otherwise !== undefined) option.default(otherwise, String(otherwise));
  return option;
}

/** The flag that takes back what the environment or a file says: `--no-cgi`, `--listing`. */
function oppositeOf(declaration: Declaration): string | null {
  const name = settingName(declaration);
  if (declaration.value !== undefined && name !== "config") return null;
  return isOnByDefault(declaration) ? `--${name}` : `--no-${name}`;
}

/**
 * Makes one argument of the two that `--header NAME VALUE` has, as Python's does: the parser knows flags with one value
 * only. `--header "NAME: VALUE"`, which other programs have, is left as it is.
 */
export function joinHeaders(args: readonly string[], program: Command): string[] {
  const joined: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    joined.push(arg);
    if (arg === "--") return [...joined, ...args.slice(at + 1)];
    const option = program.options.find(({ long, short }) => arg === long || arg === short);
    if (option === undefined || !option.required || at + 1 >= args.length) continue;
    const value = args[++at] as string;
    const isName = option.long === "--header" && /^[^:]+:?$/.test(value);
    joined.push(isName && at + 1 < args.length ? `${value.replace(":", "")}: ${args[++at]}` : value);
  }
  return joined;
}
