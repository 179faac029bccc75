/**
 * A benchmark from its flags to its tables.
 *
 * @module
 */

import process from "node:process";
import { type Contender, isInstalled, type Limit, versionOf } from "./contender.ts";
import { machine, type Part, writePage } from "./page.ts";
import { chosenContenders, readSettings } from "./settings.ts";
import { type Case, type Results, runCase, servers } from "./suite.ts";
import { median, tableOf } from "./table.ts";
import { prepare } from "./work.ts";

/** Runs it. `name` is that of its command, `section` its heading on the page. */
export async function runSuite(
  name: string,
  section: string,
  all: readonly Case[],
  everyone: readonly (Contender | Limit)[],
): Promise<void> {
  const settings = readSettings(name, () => {
    const cases = all.map(({ name, about }) => `  ${name.padEnd(24)}${about}`);
    const names = everyone.map((one) => `  ${one.name}${isInstalled(one) ? "" : " (not installed)"}`);
    return ["Cases:", ...cases, "Contenders:", ...names].join("\n");
  });
  prepare();
  const cases = all.filter(({ name }) => settings.only?.includes(name) ?? true);
  const references = cases.flatMap(({ compare }) => compare.flatMap(({ references }) => references));
  const contenders = chosenContenders(everyone, settings.contenders, references).filter(isInstalled);
  const versions = contenders.map((one) => `${one.name} ${versionOf(one)}`.trim()).join(", ");
  const order = [...all.map(headingOf), "Versions"];
  const began = Date.now();
  for (const one of cases) {
    if (Date.now() - began > settings.minutes * 60_000) {
      process.stderr.write(`${one.name}: no time left (--minutes)\n`);
      continue;
    }
    const pool = servers();
    try {
      const results = await runCase(one, contenders, settings, pool);
      const part: Part = {
        heading: headingOf(one),
        text: `${tableOf(one, results)}\n\n\`${settings.command}\`, ${settings.rounds} rounds, ${machine()}${
          othersIn(one, results)
        }.`,
      };
      process.stdout.write(`\n### ${part.heading}\n\n${part.text}\n`);
      if (settings.write) writePage(section, order, [part, { heading: "Versions", text: versions }]);
    } finally {
      await pool.stop();
    }
  }
}

/** How much else the machine did: in a round with much of it the figures mean little. */
function othersIn(one: Case, results: Results): string {
  if (one.background !== undefined) return "";
  const shares = [...results.values()].flatMap((samples) =>
    typeof samples === "string" ? [] : samples.map(({ others }) => others)
  );
  return `; it did other things for ${(median(shares) * 100).toFixed(0)} % of the time, at most ${
    (Math.max(...shares) * 100).toFixed(0)
  } %`;
}

function headingOf({ name, about }: Case): string {
  return `${name}: ${about}`;
}
