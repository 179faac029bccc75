/**
 * Runs the cases of a section at the same time, where most of what they do is waiting.
 *
 * @module
 */

import { type ConformanceCase, type ConformanceSection, notYet, runtimeName } from "../../_conformance.ts";

/** So many at once. */
const MOST = 6;

/**
 * The same section; when the first of its cases is run, the others are, too. Those in `alone` wait until all others are
 * done, and for each other.
 */
export function together(section: ConformanceSection, alone: readonly string[] = []): ConformanceSection {
  const jobs = new Map<string, Job>();
  for (const entry of section.cases) {
    if (entry.unless === undefined && entry.run !== notYet) jobs.set(entry.id, createJob(entry));
  }
  const shared = [...jobs].filter(([id]) => !alone.includes(id)).map(([, job]) => job);
  let started: Promise<void> | undefined;
  const startAll = () => started ??= runAll(shared);
  const run = (id: string) => async (): Promise<void> => {
    const all = startAll();
    const job = jobs.get(id)!;
    if (alone.includes(id)) {
      await all;
      void job.start();
    }
    await job.done;
  };
  const cases = section.cases.map((entry): ConformanceCase => {
    if (!jobs.has(entry.id)) return entry;
    const impossible = entry.impossible?.map((each) => ({ ...each, run: run(entry.id) }));
    return { ...entry, run: run(entry.id), ...(impossible === undefined ? {} : { impossible }) };
  });
  return { ...section, cases };
}

interface Job {
  /** Never rejects. */
  start(): Promise<void>;
  readonly done: Promise<void>;
}

function createJob(entry: ConformanceCase): Job {
  const chosen = entry.impossible?.find(({ runtimes }) => runtimes.includes(runtimeName)) ?? entry;
  let settle: (outcome: void | Promise<void>) => void;
  const done = new Promise<void>((resolve) => settle = resolve);
  // Told to whoever asks for this case.
  done.catch(() => {});
  return {
    done,
    start() {
      const outcome = (async () => await chosen.run())();
      settle(outcome);
      return outcome.catch(() => {});
    },
  };
}

async function runAll(jobs: readonly Job[]): Promise<void> {
  const left = [...jobs];
  async function work(): Promise<void> {
    for (let job = left.shift(); job !== undefined; job = left.shift()) await job.start();
  }
  await Promise.all(Array.from({ length: MOST }, work));
}
