/**
 * The clients of the soak, a process of their own. Takes its task as JSON,
 * writes how far it is, `half`, and at the end its report, a line each.
 *
 * @module
 */

import process from "node:process";
import { pick, randomNumbers } from "./_random.ts";
import { HTTP2_KINDS, playHttp2 } from "./_soak_http2.ts";
import { play } from "./_soak_kinds.ts";

/** What is to be done. */
export interface ClientTask {
  readonly port: number;
  /** Where HTTP/2 is offered. */
  readonly http2Port: number | null;
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
const random = randomNumbers(task.seed);
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
    const fault = task.http2Port !== null && kind in HTTP2_KINDS
      ? await playHttp2(task.http2Port, kind, random)
      : await play(target, kind, random);
    if (fault !== null) wrong.push(`${kind}: ${fault}`);
  }
}
