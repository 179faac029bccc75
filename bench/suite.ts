/**
 * Runs cases on contenders, side by side: each one is checked, then warmed up until it is steady, then measured in
 * rounds that go round the contenders, so that what else the machine does hits all alike. What htbin is compared with is
 * measured before and after it. A run begins with a load that is not measured.
 *
 * @module
 */

import {
  type Contender,
  type Cores,
  cpusOf,
  lastWords,
  type Limit,
  type Running,
  start,
} from "./contender.ts";
import { type Load, runTool, type Sample, send } from "./load.ts";
import type { Settings } from "./settings.ts";

/** What is measured. */
export interface Case {
  readonly name: string;
  /** What it is, for the page. */
  readonly about: string;
  readonly load: Load;
  /** What goes on at the same time, and is not measured. */
  readonly background?: Load;
  /** What is compared, and with whom: the best of those that are named. */
  readonly compare: readonly { readonly figure: Figure; readonly references: readonly string[] }[];
  readonly cores: Cores;
  readonly log: boolean;
  readonly memory?: boolean;
  /** Request headers that depend on the server. */
  readonly headers?: (url: string) => Promise<readonly string[]>;
  /** Throws if an answer is wrong. */
  readonly check: (url: string, headers: readonly string[]) => Promise<void>;
}

/** Seconds of load before each run, where code is compiled as it runs, and else. */
const AGAIN = { jit: 1.5, native: 0.2 };
/** Seconds of load before the first run, at least and at most. */
const WARM_UP = { jit: [6, 12], native: [1, 2] } as const;

/** Requests or bytes a second (more is better), or seconds that 99 of 100 answers took at most (less is better). */
export type Figure = "requests" | "bytes" | "p99";

/** What came of one run. */
export interface Run extends Sample {
  /** Its place among all runs of the case. */
  readonly order: number;
  /** What went on at the same time. */
  readonly background: Sample | null;
}

/** The runs of a contender, or why there are none. */
export type Results = ReadonlyMap<Contender | Limit, readonly Run[] | string>;

type Measure = () => Promise<Omit<Run, "order">>;

/** Figure of a sample. */
export function figureOf(figure: Figure, sample: Sample): number {
  return figure === "p99" ? sample.p99 : sample[figure] / sample.seconds;
}

/** Servers that run, by what they were started for. */
export interface Servers {
  get(contender: Contender, setting: Pick<Case, "cores" | "log">): Promise<Running>;
  stop(): Promise<void>;
}

/** Starts servers when they are needed first. */
export function servers(): Servers {
  const running = new Map<string, Promise<Running>>();
  return {
    get(contender, { cores, log }) {
      const key = `${contender.name} ${cores} ${log}`;
      if (!running.has(key)) running.set(key, start(contender, { cores, log }));
      return running.get(key)!;
    },
    async stop() {
      for (const server of await Promise.allSettled(running.values())) {
        if (server.status === "fulfilled") await server.value.stop();
      }
      running.clear();
    },
  };
}

/** Runs one case on those that are in it. */
export async function runCase(
  one: Case,
  everyone: readonly (Contender | Limit)[],
  settings: Settings,
  pool: Servers,
): Promise<Results> {
  const results = new Map<Contender | Limit, Run[] | string>();
  const ready = new Map<Contender | Limit, Measure>();
  for (const contender of everyone.filter(({ cases }) => cases.test(one.name))) {
    try {
      ready.set(contender, await prepareRound(contender, one, settings, pool));
      results.set(contender, []);
    } catch (error) {
      results.set(contender, (error as Error).message.split("\n")[0]!);
    }
  }
  let order = 0;
  for (let round = 0; round < settings.rounds; round++) {
    for (const contender of roundOf(one, [...ready.keys()])) {
      const run = await ready.get(contender)!();
      (results.get(contender) as Run[]).push({ ...run, order: order++ });
    }
  }
  return results;
}

/** A round: each of them, and after some once more what they are compared with. */
function roundOf(one: Case, all: readonly (Contender | Limit)[]): readonly (Contender | Limit)[] {
  const references = all.filter(({ name }) => one.compare.some((of) => of.references.includes(name)));
  return all.flatMap((each) => each.paired ? [each, ...references] : [each]);
}

/** Makes it ready, and returns what is done in each run. */
async function prepareRound(
  contender: Contender | Limit,
  one: Case,
  settings: Settings,
  pool: Servers,
): Promise<Measure> {
  const seconds = Math.min(one.load.seconds, settings.seconds ?? Infinity);
  if ("command" in contender) {
    const command = contender.command({ ...one.load, seconds }, one.cores);
    return async () => ({ ...await runTool(command, cpusOf(one.cores).server), background: null });
  }
  const server = await pool.get(contender, one);
  const url = `http://127.0.0.1:${server.port}${one.load.path}`;
  const headers = await one.headers?.(url) ?? [];
  await one.check(url, headers);
  const load = { ...one.load, headers, seconds: one.load.requests === undefined ? seconds : 60 };
  await warmUp(server, one, load);
  if (server.ended()) throw new Error(`ended under this load: ${lastWords(server)}`);
  return () => measure(server, one, load);
}

/** Loads it for a second at a time until two of them are alike. */
async function warmUp(server: Running, one: Case, load: Load): Promise<void> {
  if (load.requests !== undefined && load.requests < 10) {
    await send(server, one.cores, { ...load, requests: 1 });
    return;
  }
  const [least, most] = WARM_UP[kindOf(server)];
  let previous = 0;
  for (let second = 1; second <= most; second++) {
    const sample = await send(server, one.cores, { ...load, seconds: 1 });
    const rate = sample.requests / sample.seconds;
    if (second >= least && Math.abs(rate - previous) < 0.04 * rate) return;
    previous = rate;
  }
}

async function measure(server: Running, one: Case, load: Load): Promise<Omit<Run, "order">> {
  const memory = one.memory ?? false;
  // It has waited while the others were measured, and what it needs has left the processor's caches.
  if (load.requests === undefined) {
    await send(server, one.cores, { ...load, seconds: AGAIN[kindOf(server)] });
  }
  if (one.background === undefined) {
    return { ...await send(server, one.cores, load, { memory }), background: null };
  }
  // It ends after what is measured.
  const long = { ...one.background, seconds: load.seconds + 1 };
  const background = send(server, one.cores, long, { background: true });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const sample = await send(server, one.cores, load, { memory });
  return { ...sample, background: await background };
}

function kindOf({ contender }: Running): keyof typeof WARM_UP {
  return contender.jit ? "jit" : "native";
}
