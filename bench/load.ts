/**
 * Sends load to a server, and says what came back and what it cost.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { type Cores, cpusOf, pinned, type Running } from "./contender.ts";
import { tool } from "./work.ts";

/** What is asked for, over and over: by each connection again as soon as it has the whole answer. */
export interface Load {
  readonly path: string;
  readonly connections: number;
  /** At most this long. */
  readonly seconds: number;
  /** At most this many; default: as many as there are seconds for. */
  readonly requests?: number;
  readonly method?: "GET" | "HEAD";
  readonly headers?: readonly string[];
  /** Bytes to post. */
  readonly post?: number;
  /** Default: 200. */
  readonly status?: number;
  /** Length of the body that must come; default: any. */
  readonly bytes?: number;
  /** A connection for each request. */
  readonly close?: boolean;
}

/** What came of it. */
export interface Sample {
  readonly requests: number;
  /** Answers that were wrong or did not come to their end, and what was wrong with the first of them. */
  readonly errors: number;
  readonly wrong: string;
  /** Connections that the server closed, so that another had to be opened. */
  readonly reopened: number;
  readonly seconds: number;
  readonly bytes: number;
  /**
   * Seconds that half of the answers took at most, 99 of a hundred, and all of them. One that had not come when the run
   * ended counts for what had been waited for it, where that is more than any took.
   */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Seconds of CPU time that the server used, with all that it started. */
  readonly cpu: number;
  /** Bytes of memory before, and at most meanwhile; 0 where it was not asked for. */
  readonly rest: number;
  readonly peak: number;
  /** Share of all CPU time that neither the server nor the tool used: what else the machine did. */
  readonly others: number;
}

/** Why samples say nothing of how fast it is; `null` where every answer was right, and each run had some. */
export function failureOf(samples: readonly Sample[]): string | null {
  const sum = (key: "requests" | "errors") => samples.reduce((sum, sample) => sum + sample[key], 0);
  const errors = sum("errors");
  const wrong = samples.find((sample) => sample.errors > 0)?.wrong;
  if (errors > 0) return `${errors} of ${errors + sum("requests")} answers wrong (${wrong})`;
  const silent = samples.filter(({ requests }) => requests === 0).length;
  if (silent === 0) return null;
  return samples.length === 1 ? "no answer" : `no answer in ${silent} of ${samples.length} runs`;
}

const run = promisify(execFile);

/**
 * Runs it. With `memory`, the server's is looked at ten times a second; what is in the `background` leaves the CPU to
 * other load as soon as that wants it.
 */
export async function send(
  { port, group }: Running,
  cores: Cores,
  load: Load,
  { memory = false, background = false }: { readonly memory?: boolean; readonly background?: boolean } = {},
): Promise<Sample> {
  const words = [...background ? ["nice", "-n19"] : [], tool("load"), ...argumentsOf(load, port)];
  const rest = memory ? group.memory() : 0;
  let peak = rest;
  const timer = memory ? setInterval(() => peak = Math.max(peak, group.memory()), 100) : undefined;
  try {
    const before = group.cpu();
    const sample = await runTool(words, cpusOf(cores).load, () => group.cpu() - before);
    return { ...sample, rest, peak };
  } finally {
    clearInterval(timer);
  }
}

/** Runs a tool on these CPUs. Without a server, what it uses itself is what is measured. */
export async function runTool(
  words: readonly string[],
  cpus: string,
  serverCpu?: () => number,
): Promise<Sample> {
  const [program, ...args] = pinned(cpus, words);
  const before = busy();
  const { stdout } = await run(program!, args);
  const { p50, p99, max, cpu: own, ...counted } = JSON.parse(stdout);
  const cpu = serverCpu?.() ?? own;
  const used = serverCpu === undefined ? own : cpu + own;
  // The kernel counts one in steps of 10 ms, the other exactly.
  const others = Math.max(0, busy() - before - used) / counted.seconds / availableParallelism();
  return {
    wrong: "",
    reopened: 0,
    ...counted,
    p50: p50 / 1e6,
    p99: p99 / 1e6,
    max: max / 1e6,
    cpu,
    rest: 0,
    peak: 0,
    others,
  };
}

/** Seconds that all CPUs have been busy, for others of the same machine too. */
function busy(): number {
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync("/proc/stat", "utf8").split(/\s+/, 9);
  return [user, nice, system, irq, softirq, steal].reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

function argumentsOf(load: Load, port: number): string[] {
  const { path, connections, seconds, requests, method, headers = [], post, status, bytes, close } = load;
  return [
    `-c${connections}`,
    `-d${seconds}`,
    ...requests === undefined ? [] : [`-n${requests}`],
    ...method === undefined ? [] : [`-X${method}`],
    ...headers.map((field) => `-H${field}`),
    ...post === undefined ? [] : [`-p${post}`],
    ...status === undefined ? [] : [`-S${status}`],
    ...bytes === undefined ? [] : [`-B${bytes}`],
    ...close ? ["-C"] : [],
    String(port),
    path,
  ];
}
