/**
 * What `--help` prints, made of the declared settings.
 *
 * @module
 */

import { DECLARATIONS } from "./flags.ts";

/** Columns that it fits into: asking the terminal would make the text vary. */
const WIDTH = 80;

const AFTER = `
(*) may be given several times.
Each setting can also be a variable of the environment (HTBIN_CGI_DIR=scripts)
or stand in htbin.json ({ "cgi-dir": "scripts" }). The flag counts first, then
the variable. --no-NAME takes a switch back, --no-config ignores htbin.json.

Examples:
  htbin                            this folder, on http://127.0.0.1:8000/
  htbin --cgi 9000                 and its scripts, on port 9000
  htbin -d public -b 0.0.0.0       another folder, for other machines too
  htbin --cgi --explain /cgi-bin/x why a script does not run
`;

/** A line of it: what is given, and what it means. */
type Row = readonly [term: string, meaning: string];

/** Makes it. */
export function helpText(): string {
  const groups: [heading: string, rows: Row[]][] = [
    ["Arguments:", [["port", "port to listen on; 0 for any (default: 8000, or the next free one)"]]],
    ...DECLARATIONS.map(([heading, declarations]): [string, Row[]] => [
      heading,
      declarations.map(({ flags, help, otherwise }) => [
        flags,
        otherwise === undefined ? help : `${help} (default: ${otherwise})`,
      ]),
    ]),
  ];
  groups.at(-1)?.[1].push(
    ["-V, --version", "print the versions of htbin and of the runtime"],
    ["-h, --help", "print this help"],
  );
  const column = 2 + Math.max(...groups.flatMap(([, rows]) => rows.map(([term]) => term.length)));
  const text = groups.map(([heading, rows]) =>
    `${heading}\n${rows.map((row) => layOut(row, column)).join("")}`
  );
  return `Usage: htbin [options] [port]

Serves the files of a folder over HTTP, and runs its CGI scripts.

${text.join("\n")}${AFTER}`;
}

/** A row in two columns, the second one wrapped. */
function layOut([term, meaning]: Row, column: number): string {
  const lines = [`  ${term.padEnd(column)}`];
  let isFirst = true;
  for (const word of meaning.split(" ")) {
    const line = lines.at(-1) as string;
    if (!isFirst && line.length + 1 + word.length > WIDTH) lines.push(`  ${" ".repeat(column)}${word}`);
    else lines[lines.length - 1] = isFirst ? line + word : `${line} ${word}`;
    isFirst = false;
  }
  return `${lines.join("\n")}\n`;
}
