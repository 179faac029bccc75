/**
 * A benchmark from its flags to its tables.
 *
 * @module
 */

import process from "node:process";
import { type Contender, isInstalled, type Limit, versionOf } from "./contender.ts";
import { machine, writePage } from "./page.ts";
import { readSettings, type Settings } from "./settings.ts";
import { type Case, type Results, runCase, servers } from "./suite.ts";
import { median, tableOf } from "./table.ts";
import { prepare } from "./work.ts";

/** Something that is measured by itself, and has a table of its own. */
export interface Measurement {
  readonly name: string;
  /** What it is, for the page. */
  readonly about: string;
  /** Measures it, and returns a text with the table. */
  measure(settings: Settings): Promise<string>;
}

/** Runs cases. `name` is that of the command, `section` the heading on the page. */
export async function runSuite(
  name: string,
  section: string,
  cases: readonly Case[],
  everyone: readonly (Contender | Limit)[],
): Promise<void> {
  const measurements = cases.map((one) => ({
    ...one,
    async measure(settings: Settings) {
      const references = one.compare.flatMap(({ references }) => references);
      const contenders = chosenContenders(everyone, settings.contenders, references).filter(isInstalled);
      const pool = servers();
      try {
        const results = await runCase(one, contenders, settings, pool);
        return [tableOf(one, results), ...othersIn(one, results)].join("\n\n");
      } finally {
        await pool.stop();
      }
    },
  }));
  await runMeasurements(name, section, measurements, everyone, 5);
}

/** Runs what was asked for, prints it, and writes it to the page. `rounds` is how many unless asked for others. */
export async function runMeasurements(
  name: string,
  section: string,
  all: readonly Measurement[],
  everyone: readonly (Contender | Limit)[],
  rounds = 3,
): Promise<void> {
  const settings = readSettings(name, rounds, () => {
    const names = everyone.map((one) => `  ${one.name}${isInstalled(one) ? "" : " (not installed)"}`);
    return ["Cases:", ...all.map((one) => `  ${one.name.padEnd(30)}${one.about}`), "Contenders:", ...names]
      .join("\n");
  });
  prepare();
  const versions = everyone.filter(isInstalled).map((one) => `${one.name} ${versionOf(one)}`.trim()).join(
    ", ",
  );
  const order = [...all.map(headingOf), "Versions"];
  const began = Date.now();
  for (const one of all.filter(({ name }) => settings.only?.includes(name) ?? true)) {
    if (Date.now() - began > settings.minutes * 60_000) {
      process.stderr.write(`${one.name}: no time left (--minutes)\n`);
      continue;
    }
    const heading = headingOf(one);
    const measured = await one.measure(settings).catch((error: Error) => {
      process.stderr.write(`${one.name}: ${error.message}\n`);
      process.exitCode = 1;
      return null;
    });
    if (measured === null) continue;
    const text = `${measured}\n\n\`${settings.command}\`, ${settings.rounds} rounds; ${machine()}.`;
    process.stdout.write(`\n### ${heading}\n\n${text}\n`);
    if (settings.write) {
      writePage(section, order, [{ heading, text }, { heading: "Versions", text: versions }]);
    }
  }
}

/** Those that were asked for, and those that they are compared with. */
function chosenContenders<Named extends { readonly name: string }>(
  all: readonly Named[],
  names: readonly string[] | null,
  references: readonly string[],
): readonly Named[] {
  if (names === null) return all;
  const asked = (name: string) => names.some((one) => name === one || name.startsWith(`${one} `));
  return all.filter(({ name }) => asked(name) || references.includes(name));
}

/** How much else the machine did: in a round with much of it the figures mean little. */
function othersIn(one: Case, results: Results): readonly string[] {
  if (one.background !== undefined) return [];
  const shares = [...results.values()].flatMap((samples) =>
    typeof samples === "string" ? [] : samples.map(({ others }) => others)
  );
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  if (shares.length === 0) return [];
  const [usual, most] = [percent(median(shares)), percent(Math.max(...shares))];
  return [`Meanwhile the machine did other things for ${usual} of the time, in the worst run ${most}.`];
}

function headingOf({ name, about }: Measurement): string {
  return `${name}: ${about}`;
}
