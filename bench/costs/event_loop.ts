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

/** Milliseconds, at most. */
const AIM = 0.2;
const STARTS = 500;

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
    "the longest turn of the event loop while one script in C is started and ends, in milliseconds; “when it ran”: without the time that its thread waited for a processor",
  async measure({ rounds }) {
    const rows: string[][] = [];
    for (const cores of [1, 2] as const) {
      for (const [runtime, command] of Object.entries(COMMANDS)) {
        const [program, ...args] = pinned(cpusOf(cores).server, [
          ...command,
          join(SCRIPTS, "hello"),
          String(STARTS),
        ]);
        const p50: number[] = [];
        const p99: number[] = [];
        const ran: number[] = [];
        const idle: number[] = [];
        const idleRan: number[] = [];
        for (let round = 0; round < rounds; round++) {
          const { stdout } = await promisify(execFile)(program!, args, { timeout: 60_000 });
          const { starts, nothing } = JSON.parse(stdout) as Record<"starts" | "nothing", Turn[]>;
          p50.push(percentile(starts, "all", 0.5));
          p99.push(percentile(starts, "all", 0.99));
          ran.push(percentile(starts, "ran", 0.99));
          idle.push(percentile(nothing, "all", 0.99));
          idleRan.push(percentile(nothing, "ran", 0.99));
        }
        rows.push([
          `${runtime}, ${cores === 1 ? "one core" : "two cores"}`,
          spread(p50),
          spread(p99),
          spread(ran),
          cores === 1 ? "" : aimCell(median(ran), AIM, "most"),
          spread(idle),
          spread(idleRan),
        ]);
      }
    }
    return markdown([
      "",
      "p50",
      "p99",
      "p99, when it ran",
      "aim",
      "p99 without a start",
      "p99 without a start, when it ran",
    ], rows);
  },
};

/** The longest turn of the loop, in microseconds: all of it, and without what it waited for a processor. */
interface Turn {
  readonly all: number;
  readonly ran: number;
}

/** In milliseconds. */
function percentile(turns: readonly Turn[], kind: keyof Turn, share: number): number {
  const values = turns.map((turn) => turn[kind]).sort((a, b) => a - b);
  return values[Math.floor(values.length * share)]! / 1000;
}
