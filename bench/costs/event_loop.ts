/**
 * How long the start of a script holds the event loop, and with it every other request.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { cpusOf, pinned } from "../contender.ts";
import type { Measurement } from "../run.ts";
import { aimCell, markdown, median, spread } from "../table.ts";
import { BENCH, PROJECT, runtimePath, SCRIPTS } from "../work.ts";

/** Milliseconds that a turn may take, and the share of starts that may have a longer one: 0.2 ms at p99. */
const TURN = 0.2;
const SHARE = 0.01;
const STARTS = 2000;

const COMMANDS = {
  Node: [runtimePath("node"), join(BENCH, "servers/held.mjs"), join(PROJECT, "dist/adapters/auto.js")],
  Deno: [
    runtimePath("deno"),
    "run",
    "-A",
    join(BENCH, "servers/held.mjs"),
    join(PROJECT, "adapters/auto.ts"),
  ],
  Bun: [runtimePath("bun"), join(BENCH, "servers/held.mjs"), join(PROJECT, "adapters/auto.ts")],
};

/** One start after another, on one core and on two. */
export const eventLoop: Measurement = {
  name: "event loop",
  about:
    "the longest turn of the event loop while one script in C is started and ends, and in as long without one, in milliseconds; shares of those with a turn over 0.2",
  async measure({ rounds }) {
    const rows: string[][] = [];
    for (const cores of [1, 2] as const) {
      for (const [runtime, command] of Object.entries(COMMANDS)) {
        const words = pinned(cpusOf(cores).server, [...command, join(SCRIPTS, "hello"), String(STARTS)]);
        const found: Turns[] = [];
        for (let round = 0; round < rounds; round++) found.push(await turnsOf(words));
        const more = found.map(({ starts, nothing }) => shareOver(starts) - shareOver(nothing));
        const percent = (shares: readonly number[]) => spread(shares.map((share) => share * 100), 1);
        rows.push([
          `${runtime}, ${cores === 1 ? "one core" : "two cores"}`,
          spread(found.map(({ starts }) => percentile(starts, 0.5))),
          spread(found.map(({ starts }) => percentile(starts, 0.99))),
          [0.5, 0.99].map((share) =>
            median(found.map(({ ordered }) => percentile(ordered, share))).toFixed(2)
          ).join(", "),
          [0.5, 0.99].map((share) => median(found.map(({ ended }) => percentile(ended, share))).toFixed(2))
            .join(", "),
          spread(found.map(({ nothing }) => percentile(nothing, 0.99))),
          percent(found.map(({ starts }) => shareOver(starts))),
          percent(found.map(({ nothing }) => shareOver(nothing))),
          percent(more),
          cores === 1 ? "" : aimCell(median(more) * 100, SHARE * 100, "most"),
        ]);
      }
    }
    return markdown([
      "",
      "p50",
      "p99",
      "turn that orders it: p50, p99",
      "turn in which it ends: p50, p99",
      "p99 without a start",
      "over, %",
      "over without a start, %",
      "more, %",
      "aim",
    ], rows);
  },
};

/** In microseconds, without what the thread waited for a processor. */
interface Turns {
  /** The longest turn of each start, the one in which it was ordered, and the one in which it ended. */
  readonly starts: readonly number[];
  readonly ordered: readonly number[];
  readonly ended: readonly number[];
  /** The longest turn of as long a stretch without a start. */
  readonly nothing: readonly number[];
}

async function turnsOf([program, ...args]: readonly string[]): Promise<Turns> {
  const { stdout } = await promisify(execFile)(program!, args, { timeout: 120_000, maxBuffer: 2 ** 24 });
  return JSON.parse(stdout);
}

function shareOver(turns: readonly number[]): number {
  return turns.filter((turn) => turn > TURN * 1000).length / turns.length;
}

/** In milliseconds. */
function percentile(turns: readonly number[], share: number): number {
  const values = [...turns].sort((a, b) => a - b);
  return values[Math.floor(values.length * share)]! / 1000;
}
