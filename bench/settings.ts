/**
 * The flags that all benchmarks have.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";

/** What a run is limited to. */
export interface Settings {
  /** Names of cases. */
  readonly only: readonly string[] | null;
  /** Names of contenders, or the words that these begin with. */
  readonly contenders: readonly string[] | null;
  readonly rounds: number;
  /** Length of a run; `null`: the case's own. */
  readonly seconds: number | null;
  /** After this long no further case is begun. */
  readonly minutes: number;
  /** Whether `results.md` is written: not by a run that leaves contenders out. */
  readonly write: boolean;
  /** The command, as one would type it. */
  readonly command: string;
}

const USAGE = `npm run bench:NAME -- [flags]
  --only CASE,...        these cases alone
  --contenders NAME,...  these contenders alone: "htbin" is htbin on every runtime; what the aims
                         are measured by is always there
  --rounds N             runs of each (default: 5; of costs and growth 3)
  --seconds N            length of a run (default: each case's own)
  --minutes N            begin no case after this long (default: 120)
  --no-write             leave bench/results.md as it is
  --list                 print cases and contenders, and end`;

/** Reads them; ends the process where they make no sense. */
export function readSettings(name: string, rounds: number, list: () => string): Settings {
  try {
    const { values } = parseArgs({
      allowNegative: true,
      options: {
        "only": { type: "string" },
        "contenders": { type: "string" },
        "rounds": { type: "string", default: String(rounds) },
        "seconds": { type: "string" },
        "minutes": { type: "string", default: "120" },
        "write": { type: "boolean", default: true },
        "list": { type: "boolean", default: false },
        "help": { type: "boolean", default: false },
      },
    });
    if (values.help) end(0, USAGE);
    if (values.list) end(0, list());
    const args = process.argv.slice(2).map((word) => /[^\w,.:=-]/.test(word) ? `'${word}'` : word).join(" ");
    return {
      only: values.only?.split(",") ?? null,
      contenders: values.contenders?.split(",") ?? null,
      rounds: positive(values.rounds),
      seconds: values.seconds === undefined ? null : positive(values.seconds),
      minutes: positive(values.minutes),
      write: values.write && values.contenders === undefined,
      command: `npm run bench:${name}${args === "" ? "" : ` -- ${args}`}`,
    };
  } catch (error) {
    end(2, `${(error as Error).message}\n${USAGE}`);
  }
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`Not a positive number: ${text}`);
  return number;
}

function end(status: number, text: string): never {
  process.stdout.write(`${text}\n`);
  process.exit(status);
}
