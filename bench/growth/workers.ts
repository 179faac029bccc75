/**
 * More workers: files and scripts with one process and with two.
 *
 * @module
 */

import { start } from "../contender.ts";
import { htbin } from "../htbin.ts";
import { type Load, send } from "../load.ts";
import type { Measurement } from "../run.ts";
import { markdown, spread } from "../table.ts";
import { KIB } from "../work.ts";

const LOADS: Readonly<Record<string, Load>> = {
  "1 KiB": { path: "/1k.html", connections: 32, seconds: 3, bytes: KIB },
  "a script in C": { path: "/cgi-bin/hello", connections: 32, seconds: 3, bytes: 5 },
};

/** On two cores: with two CPUs the load takes part of them, and more where the server is faster. */
export const workers: Measurement = {
  name: "workers",
  about: "two workers on two cores, ratio to one worker on two cores",
  async measure({ rounds, seconds }) {
    const kinds = [1, 2].map((count) => htbin(["--cgi", "--workers", String(count)], /^/));
    const rows: string[][] = [];
    for (const [what, load] of Object.entries(LOADS)) {
      for (const [index, { name }] of kinds[0]!.entries()) {
        const ratios: number[] = [];
        for (let round = 0; round < rounds; round++) {
          const rates: number[] = [];
          for (const kind of kinds) {
            const server = await start(kind[index]!, { log: false, cores: 2 });
            try {
              await send(server, 2, { ...load, seconds: 5 });
              const sample = await send(server, 2, { ...load, seconds: seconds ?? load.seconds });
              rates.push(sample.requests / sample.seconds);
            } finally {
              await server.stop();
            }
          }
          ratios.push(rates[1]! / rates[0]!);
        }
        rows.push([`${name}, ${what}`, spread(ratios)]);
      }
    }
    return markdown(["", "ratio"], rows);
  },
};
