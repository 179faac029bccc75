/**
 * How long a script holds the event loop, and with it every other request.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { cpusOf, pinned } from "../contender.ts";
import type { Measurement } from "../run.ts";
import { aimCell, markdown, median, spread } from "../table.ts";
import { BENCH, DOCUMENTS, PROJECT, runtimePath, tool } from "../work.ts";

/** How long 99 of 100 calls that start a script may take at most, in milliseconds. */
const AIM = 0.2;

const HELD = join(BENCH, "servers/held.mjs");

const COMMANDS = {
  Node: [runtimePath("node"), HELD, join(PROJECT, "dist/mod.js"), join(PROJECT, "dist/adapters/auto.js")],
  Deno: [runtimePath("deno"), "run", "-A", HELD, join(PROJECT, "mod.ts"), join(PROJECT, "adapters/auto.ts")],
  Bun: [runtimePath("bun"), HELD, join(PROJECT, "mod.ts"), join(PROJECT, "adapters/auto.ts")],
};

/** One script after another, on one core and on two. */
export const eventLoop: Measurement = {
  name: "event loop",
  about:
    "how long a script in C holds the event loop, in milliseconds: by the call that starts it; and all that a request for it does, as the turn that a half and 99 of 100 have no longer one than, beside what there is of such turns when nothing is asked for",
  async measure({ rounds, seconds }) {
    const rows: string[][] = [];
    for (const cores of [1, 2] as const) {
      const { server, load } = cpusOf(cores);
      for (const [runtime, command] of Object.entries(COMMANDS)) {
        const words = pinned(server, [
          ...command,
          DOCUMENTS,
          String(seconds ?? 1),
          ...pinned(load, [tool("load"), "-c1", "-B5"]),
        ]);
        const found: Turns[] = [];
        for (let round = 0; round < rounds; round++) found.push(await turnsOf(words));
        const p99 = found.map(({ calls }) => percentile(calls, 0.99));
        rows.push([
          `${runtime}, ${cores === 1 ? "one core" : "two cores"}`,
          spread(found.map(({ calls }) => percentile(calls, 0.5))),
          spread(p99),
          cores === 1 ? "" : aimCell(median(p99), AIM, "most"),
          spread(found.map((turns) => longest(turns, 0.5))),
          spread(found.map((turns) => longest(turns, 0.01))),
        ]);
      }
    }
    return markdown(["", "call p50", "call p99", "aim", "request p50", "request p99"], rows);
  },
};

/** Calls in microseconds; turns of the event loop by the hundredths of a millisecond that they took. */
interface Turns {
  readonly calls: readonly number[];
  readonly requests: number;
  readonly busy: readonly number[];
  readonly busyMs: number;
  readonly idle: readonly number[];
  readonly idleMs: number;
}

async function turnsOf([program, ...args]: readonly string[]): Promise<Turns> {
  const { stdout } = await promisify(execFile)(program!, args, { timeout: 120_000 });
  return JSON.parse(stdout);
}

/** How many turns of so many hundredths and more each request has, beyond those that there are without it. */
function more({ requests, busy, busyMs, idle, idleMs }: Turns, hundredths: number): number {
  const count = (turns: readonly number[]) => turns.slice(hundredths).reduce((sum, one) => sum + one, 0);
  return Math.max(0, count(busy) - count(idle) * busyMs / idleMs) / requests;
}

/** The time, in milliseconds, that no more than this share of requests have a longer turn than. */
function longest(turns: Turns, share: number): number {
  // There are more turns that take nothing where nothing is asked for.
  let above = turns.busy.length;
  while (above > 0 && more(turns, above - 1) <= share) above -= 1;
  return above / 100;
}

/** In milliseconds. */
function percentile(calls: readonly number[], share: number): number {
  return [...calls].sort((a, b) => a - b)[Math.floor(calls.length * share)]! / 1000;
}
