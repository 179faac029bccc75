/**
 * The arguments that most starts have: a port, flags by their names, each value apart or behind a `=`. Whatever else there
 * may be is for the parser of all arguments.
 *
 * @module
 */

import { type Arguments, argumentsOf } from "./arguments.ts";
import { type Declaration, DECLARATIONS, flagKey, settingName } from "./flags.ts";
import * as value from "./values.ts";

/** A flag as it was given: with the text of its value, or switched on or off. */
type Token = readonly [declaration: Declaration, given: string | boolean];

/**
 * Takes them as the parser of all arguments would; `null` for what only that one understands, and for what makes no sense.
 *
 * @throws {UsageError} When a value is none of its setting's.
 */
export function plainArguments(args: readonly string[]): Arguments | null {
  const tokens: Token[] = [];
  let port: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (/^\d+$/.test(arg) && port === undefined) {
      port = arg;
      continue;
    }
    const token = switchOf(arg) ?? valueOf(arg, args[at + 1]);
    if (token === null) return null;
    tokens.push(token);
    if (typeof token[1] === "string" && !isJoined(arg)) at++;
  }
  const flags = new Map<string, unknown>();
  for (const [declaration, given] of tokens) {
    const key = flagKey(declaration);
    const text = typeof given === "string" ? given : null;
    const name = `--${settingName(declaration)}`;
    flags.set(key, text === null ? given : declaration.value!.parse(name, text, flags.get(key)));
  }
  // After the flags, as the other parser does it: of two mistakes, both name the same.
  return argumentsOf({ port: port === undefined ? undefined : value.port.parse("port", port), flags });
}

const isJoined = (arg: string) => arg.startsWith("--") && arg.includes("=");

/** `--cgi`, `--no-cgi`, `-q`. */
function switchOf(arg: string): Token | null {
  const declaration = find(arg.replace(/^--no-/, "--"));
  if (declaration === undefined) return null;
  const isOff = arg.startsWith("--no-");
  const fits = declaration.value === undefined || (isOff && settingName(declaration) === "config");
  return fits ? [declaration, !isOff] : null;
}

/** `--bind ADDRESS`, `--bind=ADDRESS`, `-b ADDRESS`. */
function valueOf(arg: string, next: string | undefined): Token | null {
  const [name, text] = isJoined(arg) ? [arg.replace(/=.*/s, ""), arg.replace(/^.*?=/s, "")] : [arg, next];
  const declaration = find(name);
  // A header may have two values.
  const isSimple = declaration?.value !== undefined && declaration.value !== value.headers;
  return isSimple && text !== undefined && text !== "" && !text.startsWith("-") ? [declaration, text] : null;
}

/** The setting with this flag, be it its letter. */
function find(flag: string): Declaration | undefined {
  if (!/^--?[a-z]/i.test(flag)) return undefined;
  const [letter, name] = flag.startsWith("--") ? [null, flag.slice(2)] : [`${flag},`, null];
  for (const [, declarations] of DECLARATIONS) {
    for (const declaration of declarations) {
      if (letter === null ? settingName(declaration) === name : declaration.flags.startsWith(letter)) {
        return declaration;
      }
    }
  }
  return undefined;
}
