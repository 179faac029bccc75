/**
 * What the first bytes of a file say about how the system would run it.
 *
 * @module
 */

/** How many bytes are looked at; Linux itself reads no more than 256 of a `#!` line. */
export const HEAD_LENGTH = 512;

/** What a file is, judged by its first bytes. */
export type ProgramHead =
  /** A `#!` line. */
  | { readonly kind: "shebang"; readonly shebang: Shebang }
  /** Text without one: the system refuses it (ENOEXEC), and some runtimes would give it to a shell instead. */
  | { readonly kind: "text" }
  | { readonly kind: "empty" }
  /** A byte order mark and then `#!`: the system sees no `#!`, the person who looks at it does. */
  | { readonly kind: "marked" }
  /** Something else, which the system may be able to run: a compiled program. */
  | { readonly kind: "binary" };

/** A `#!` line. */
export interface Shebang {
  /** The interpreter, as it stands there. */
  readonly program: string;
  /** What follows it, as the one argument the system makes of it; `null` when there is nothing. */
  readonly argument: string | null;
}

/** Reads a file's first bytes. */
export function parseProgramHead(bytes: Uint8Array): ProgramHead {
  if (bytes.length === 0) return { kind: "empty" };
  if (bytes[0] !== 0x23 || bytes[1] !== 0x21) {
    if (bytes[0] === 0xef && bytes[3] === 0x23 && bytes[4] === 0x21) return { kind: "marked" };
    return { kind: looksLikeText(bytes) ? "text" : "binary" };
  }
  const end = bytes.indexOf(0x0a);
  const line = new TextDecoder().decode(
    bytes.subarray(2, end < 0 ? bytes.length : end),
  );
  // The system takes spaces and tabs for separators, and a carriage return for part of the name.
  const match = /^[ \t]*([^ \t]*)[ \t]*(.*?)[ \t]*$/s.exec(line);
  const [, program = "", argument = ""] = match ?? [];
  if (program === "") return { kind: "text" };
  return {
    kind: "shebang",
    shebang: { program, argument: argument === "" ? null : argument },
  };
}

/** The program that `#!/usr/bin/env` would look up and run. */
export interface EnvCall {
  readonly program: string;
  readonly args: readonly string[];
}

/** Whether a `#!` line names `env`, which looks the interpreter up in PATH. */
export function isEnv(shebang: Shebang): boolean {
  return /(?:^|[\\/])env(?:\.exe)?$/.test(shebang.program);
}

/**
 * What `env` makes of its one argument: `name`, or with `-S` words split as a shell would. `null` for what only `env`
 * itself could do: other options, and variables.
 */
export function parseEnvCall(argument: string | null): EnvCall | null {
  if (argument === null) return null;
  const split = /^(?:-v?S|--split-string[= ])[ \t]*(.*)$/s.exec(argument);
  const words = split === null ? [argument] : splitWords(split[1] as string);
  const [program, ...args] = words ?? [];
  return program === undefined || /^-|=/.test(program) ? null : { program, args };
}

/** Words in quotes or not, with backslashes; `null` for what needs an environment or is not closed. */
function splitWords(text: string): readonly string[] | null {
  const words: string[] = [];
  const piece = /\s*((?:[^\s"'\\$#]|"(?:[^"\\$]|\\["\\$])*"|'[^']*'|\\["'\\$# ])+)(?=\s|$)/y;
  let at = 0;
  while (text.slice(at).trim() !== "") {
    piece.lastIndex = at;
    const match = piece.exec(text);
    if (match === null) return null;
    words.push(unquote(match[1] as string));
    at = piece.lastIndex;
  }
  return words;
}

function unquote(word: string): string {
  return word.replace(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
    (_all, double?: string, single?: string, escaped?: string) =>
      double?.replace(/\\(.)/g, "$1") ?? single ?? escaped ?? "",
  );
}

/** Text has no NUL and no other control characters than the usual ones: true of no compiled program. */
function looksLikeText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 || (byte >= 0x08 && byte <= 0x0d) || byte === 0x1b);
}
