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
  about: "the longest turn of the event loop while one script in C is started and ends, in milliseconds",
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
        const idle: number[] = [];
        for (let round = 0; round < rounds; round++) {
          const { stdout } = await promisify(execFile)(program!, args, { timeout: 60_000 });
          const { starts, nothing } = JSON.parse(stdout) as Record<"starts" | "nothing", number[]>;
          p50.push(percentile(starts, 0.5));
          p99.push(percentile(starts, 0.99));
          idle.push(percentile(nothing, 0.99));
        }
        rows.push([
          `${runtime}, ${cores === 1 ? "one core" : "two cores"}`,
          spread(p50),
          spread(p99),
          cores === 1 ? "" : aimCell(median(p99), AIM, "most"),
          spread(idle),
        ]);
      }
    }
    return markdown(["", "p50", "p99", "aim", "p99 of as long without a start"], rows);
  },
};

/** Of microseconds, in milliseconds. */
function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)]! / 1000;
}
