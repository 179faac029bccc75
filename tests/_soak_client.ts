/**
 * The clients of the soak, a process of their own. Takes its task as JSON,
 * writes how far it is, `half`, and at the end its report, a line each.
 *
 * @module
 */

import process from "node:process";
import { play } from "./_soak_kinds.ts";

/** What is to be done. */
export interface ClientTask {
  readonly port: number;
  readonly requests: number;
  readonly concurrency: number;
  readonly seed: number;
  readonly kinds: readonly string[];
}

/** What was done. */
export interface ClientReport {
  /** Requests by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Answers that were not the expected ones. */
  readonly wrong: readonly string[];
}

const task = JSON.parse(process.argv[2]!) as ClientTask;
const target = { hostname: "127.0.0.1", port: task.port };
const random = createRandom(task.seed);
const kinds: Record<string, number> = {};
const wrong: string[] = [];
let started = 0;

await Promise.all(Array.from({ length: task.concurrency }, playOn));
process.stdout.write(`${JSON.stringify({ kinds, wrong })}\n`, () => process.exit(0));

async function playOn(): Promise<void> {
  while (started < task.requests) {
    started += 1;
    if (started === Math.ceil(task.requests / 2)) process.stdout.write("half\n");
    if (started % 500 === 0) process.stdout.write(`${started}\n`);
    const kind = pick(task.kinds, random);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    const fault = await play(target, kind, random);
    if (fault !== null) wrong.push(`${kind}: ${fault}`);
  }
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}

/** Numbers from 0 to 1 (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
