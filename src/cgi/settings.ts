/**
 * The options of `cgi()` that concern running scripts, checked and with their defaults, ready for use.
 *
 * @module
 */

import type { CgiLimits, CgiOptions, CgiTimeouts } from "./options.ts";

/** Time limits in milliseconds; `Infinity` is none. */
export interface TimeLimits {
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly graceMs: number;
}

/** Resolved {@linkcode CgiLimits}. */
export interface Limits {
  readonly concurrent: number;
  readonly queue: number;
  readonly perClient: number;
  readonly waitMs: number;
  readonly body: number;
  readonly spoolMemory: number;
  readonly spoolDisk: number;
  readonly stderr: number;
}

/** What the options say about running scripts. */
export interface RunSettings {
  readonly strict: boolean;
  readonly chunked: "spool" | "stream" | "refuse";
  readonly development: boolean;
  readonly times: TimeLimits;
  readonly limits: Limits;
}

/** Bytes that chunked bodies may take on disk. */
export const SPOOL_DISK: number = 2 ** 30;

/**
 * Resolves the options.
 *
 * @throws {RangeError} For a number that is out of range.
 */
export function resolveSettings(
  options: CgiOptions,
  processors: number,
): RunSettings {
  return {
    strict: options.strict ?? true,
    chunked: options.chunked ?? "spool",
    development: options.development ?? false,
    times: resolveTimes(options.timeouts ?? {}),
    limits: resolveLimits(options.limits ?? {}, processors),
  };
}

function resolveTimes(timeouts: CgiTimeouts): TimeLimits {
  return {
    firstByteMs: timeLimit("timeouts.firstByte", timeouts.firstByte, 60),
    idleMs: timeLimit("timeouts.idle", timeouts.idle, 60),
    totalMs: timeLimit("timeouts.total", timeouts.total, Infinity),
    graceMs: atLeast("timeouts.grace", timeouts.grace ?? 3, 0) * 1000,
  };
}

function resolveLimits(limits: CgiLimits, processors: number): Limits {
  const perClient = limits.perClient ?? 1;
  if (!(perClient > 0 && perClient <= 1)) {
    throw new RangeError(
      `Cannot use the option limits.perClient: ${perClient}: it must be more than 0 and at most 1`,
    );
  }
  return {
    concurrent: atLeast("limits.concurrent", limits.concurrent ?? Math.max(16, 4 * processors), 1),
    queue: atLeast("limits.queue", limits.queue ?? 1024, 0),
    perClient,
    waitMs: timeLimit("limits.wait", limits.wait, 60),
    body: atLeast("limits.body", limits.body ?? Infinity, 0),
    spoolMemory: atLeast("limits.spoolMemory", limits.spoolMemory ?? 65_536, 0),
    spoolDisk: atLeast("limits.spoolDisk", limits.spoolDisk ?? SPOOL_DISK, 0),
    stderr: atLeast("limits.stderr", limits.stderr ?? 65_536, 0),
  };
}

/** Seconds as milliseconds. 0 switches a limit off. */
function timeLimit(name: string, seconds: number | undefined, otherwise: number): number {
  const value = atLeast(name, seconds ?? otherwise, 0);
  return value === 0 ? Infinity : value * 1000;
}

function atLeast(name: string, value: number, least: number): number {
  if (typeof value === "number" && value >= least) return value;
  throw new RangeError(`Cannot use the option ${name}: ${value}: it must be a number, at least ${least}`);
}
