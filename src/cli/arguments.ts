/**
 * Arguments taken apart, as POSIX and GNU have them (`-qb ::`, `--bind=::`, `--`), by the declared settings.
 *
 * @module
 */

import { similarName } from "../similar.ts";
import { type Declaration, DECLARATIONS, settingName } from "./flags.ts";
import { FOREIGN_FLAGS } from "./foreign_flags.ts";
import { UsageError } from "./usage_error.ts";

/** A flag that was given. */
export interface GivenFlag {
  readonly declaration: Declaration;
  /** Its text, or what a switch is set to. */
  readonly value: string | boolean;
}

/** What arguments say. */
export interface SplitArguments {
  /** In their order. */
  readonly flags: readonly GivenFlag[];
  readonly operands: readonly string[];
}

/** What a name or letter stands for: a text to print, a setting that takes a text, or one that is switched on or off. */
type Meaning = "help" | "version" | { readonly declaration: Declaration; readonly sets: boolean | null };

/**
 * Takes them apart, or says which text is asked for.
 *
 * @throws {UsageError} For a flag that is not known, lacks its value, or takes none.
 */
export function splitArguments(args: readonly string[]): SplitArguments | "help" | "version" {
  const meanings = allMeanings();
  const flags: GivenFlag[] = [];
  const operands: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") return { flags, operands: [...operands, ...rest] };
    if (!/^-./.test(arg)) {
      operands.push(arg);
      continue;
    }
    const isLong = arg.startsWith("--");
    const end = isLong ? arg.indexOf("=") : 2;
    const name = end < 0 ? arg : arg.slice(0, end);
    /** What stands behind the name in the same argument. */
    const own = end < 0 || name === arg ? null : arg.slice(isLong ? end + 1 : end);
    const meaning = meanings.get(name);
    if (meaning === undefined) throw unknown(arg, name, meanings);
    if (own !== null && (typeof meaning === "string" || meaning.sets !== null)) {
      if (isLong) throw new UsageError(`${name} takes no value: it is on or not there`);
      // Letters in a row.
      rest.unshift(`-${own}`);
    }
    if (typeof meaning === "string") return meaning;
    const { declaration, sets } = meaning;
    flags.push({ declaration, value: sets ?? own ?? nextValue(declaration, rest) });
  }
  return { flags, operands };
}

/**
 * The value in the next argument; of `--header NAME VALUE` in the next two, as Python's has it. `--header "NAME: VALUE"`,
 * which other programs have, is one.
 */
function nextValue({ flags }: Declaration, rest: string[]): string {
  const value = rest.shift();
  const full = flags.replace(/^-\w, /, "");
  if (value === undefined) throw new UsageError(`${full.replace(/ .*/, "")} needs a value: ${full}`);
  const isName = full.startsWith("--header ") && rest.length > 0 && /^[^:]+:?$/.test(value);
  return isName ? `${value.replace(":", "")}: ${rest.shift()}` : value;
}

function allMeanings(): ReadonlyMap<string, Meaning> {
  const meanings = new Map<string, Meaning>([
    ["-h", "help"],
    ["--help", "help"],
    ["-V", "version"],
    ["--version", "version"],
  ]);
  for (const [, declarations] of DECLARATIONS) {
    for (const declaration of declarations) {
      const name = settingName(declaration);
      const isSwitch = declaration.value === undefined;
      const on = { declaration, sets: isSwitch ? true : null };
      meanings.set(`--${name}`, on);
      const [letter] = /^-\w\b/.exec(declaration.flags) ?? [];
      if (letter !== undefined) meanings.set(letter, on);
      // Takes back what the environment or a file says.
      if (isSwitch || name === "config") meanings.set(`--no-${name}`, { declaration, sets: false });
    }
  }
  return meanings;
}

function unknown(arg: string, name: string, meanings: ReadonlyMap<string, Meaning>): UsageError {
  const foreign = Object.hasOwn(FOREIGN_FLAGS, name) ? FOREIGN_FLAGS[name] : undefined;
  const names = [...meanings.keys()].filter((known) => known.startsWith("--")).map((known) => known.slice(2));
  const similar = name.startsWith("--") ? similarName(name.slice(2), names) : null;
  const advice = similar === null ? "htbin --help lists them all" : `did you mean --${similar}?`;
  return new UsageError(`unknown option '${arg}': ${foreign ?? advice}`);
}
