/**
 * One running script from its start to its end: its time limits, its output, its standard error, and its death and that
 * of all it started.
 *
 * @module
 */

import { now } from "../clock.ts";
import type { Bytes, ChildProcess, ExitStatus } from "../runtime.ts";
import type { ScriptExit } from "./options.ts";
import { LATE_OUTPUT, readOutput } from "./output.ts";
import type { TimeLimits } from "./settings.ts";
import { readStderr, type StderrOptions } from "./stderr.ts";
import { startTimeLimit, within } from "./time_limit.ts";

/** Why this server stops a script. */
export type StopReason = NonNullable<ScriptExit["stopped"]>;

/** Which time limit was reached. */
export interface ReachedLimit {
  readonly name: "firstByte" | "idle" | "total";
  readonly ms: number;
}

/** How long an ended script's standard error may still be written to by what it left behind, in milliseconds. */
const LATE_STDERR = 200;

/** What a supervisor is told. */
export interface SupervisorOptions {
  /** When it was started, as `performance.now()` has it. */
  readonly started: number;
  readonly times: TimeLimits;
  readonly stderr: StderrOptions;
  /** The script and its output have ended. */
  readonly onEnd: () => void;
  /** The same, once its last words on standard error are in. */
  readonly onExit: (
    exit: ExitStatus,
    stopped: StopReason | null,
    durationMs: number,
  ) => void;
}

/** A running script. */
export interface RunningScript {
  readonly pid: number;
  /** The next piece of its output, or `null` at the end and once it was stopped. */
  next(): Promise<Bytes | null>;
  /** The next piece of its output, if it is there already and nobody waits for it. */
  nextNow(): Bytes | null;
  /** Whether it has written anything to its output. */
  hasWritten(): boolean;
  /** Bytes have moved. */
  progress(): void;
  /** The head is there: from now on the idle limit counts. */
  headDone(): void;
  /** Asks it and all it started to end, and forces them after the grace. Only the first reason counts. */
  stop(reason: StopReason): void;
  /** Why it was stopped. */
  stopped(): StopReason | null;
  /** Which time limit stopped it, and how long that is. */
  limit(): ReachedLimit | null;
  /** Called when it is stopped. */
  onStop(listener: () => void): void;
  /** How it ended, or `null` while it runs. */
  exit(): ExitStatus | null;
  /** How it ended, if it does so within this time. */
  exitWithin(ms: number): Promise<ExitStatus | null>;
  /** The last lines of its standard error; waits a moment for them once it has ended. */
  lastWords(): Promise<readonly string[]>;
  /** Settles when it and its output have ended. */
  readonly ended: Promise<void>;
}

/** Takes charge of a script that was just started. */
export function supervise(
  child: ChildProcess,
  { started, times, stderr: stderrOptions, onEnd, onExit }: SupervisorOptions,
): RunningScript {
  const output = readOutput(child.stdout);
  const stderr = readStderr(child.stderr, stderrOptions);
  let headDone = false;
  let exit: ExitStatus | null = null;
  let stopped: StopReason | null = null;
  let endedBy: StopReason | null = null;
  let limit: ReachedLimit | null = null;
  let ended = false;
  let written = false;
  let killTimer: ReturnType<typeof setTimeout> | undefined;
  let listener = (): void => {};
  const quiet = startTimeLimit(
    times.firstByteMs,
    () => reachLimit(headDone ? "idle" : "firstByte", headDone ? times.idleMs : times.firstByteMs),
  );
  const total = startTimeLimit(times.totalMs, () => reachLimit("total", times.totalMs));

  function reachLimit(name: ReachedLimit["name"], ms: number): void {
    if (stopped !== null || ended) return;
    limit = { name, ms };
    stop("timeout");
  }
  function idleMs(): number {
    // What an ended script left behind may hold the pipe: that is the end of the output, and not a time limit.
    return exit === null ? times.idleMs : Math.max(times.idleMs, 2 * LATE_OUTPUT);
  }
  function stop(reason: StopReason): void {
    if (stopped !== null || ended) return;
    stopped = reason;
    if (exit === null) endedBy = reason;
    quiet.clear();
    total.clear();
    endGroup();
    output.close();
    listener();
  }
  /** Also what an ended script left behind: it shall not outlive its request, unless it began a session of its own. */
  function endGroup(): void {
    if (killTimer !== undefined) return;
    if (!child.stop("TERM")) return;
    killTimer = setTimeout(() => child.stop("KILL"), times.graceMs);
  }
  async function watch(): Promise<void> {
    exit = await child.exited;
    const durationMs = now() - started;
    output.expectEnd();
    if (stopped === null && headDone) quiet.change(idleMs());
    await output.ended;
    ended = true;
    quiet.clear();
    total.clear();
    if (killTimer === undefined) endGroup();
    else if (!child.stop("TERM")) clearTimeout(killTimer);
    onEnd();
    await within(stderr.done, LATE_STDERR);
    stderr.close();
    onExit(exit, endedBy, durationMs);
  }
  const whole = watch();

  return {
    pid: child.pid,
    async next() {
      const bytes = await output.next();
      if (bytes !== null) written = true;
      quiet.restart();
      return bytes;
    },
    nextNow() {
      const bytes = output.nextNow();
      if (bytes !== null) quiet.restart();
      return bytes;
    },
    hasWritten: () => written,
    progress: quiet.restart,
    headDone() {
      headDone = true;
      if (!ended && stopped === null) quiet.change(idleMs());
    },
    stop,
    stopped: () => stopped,
    limit: () => limit,
    onStop(newListener) {
      listener = newListener;
    },
    exit: () => exit,
    exitWithin: async (ms) => exit ?? await within(child.exited, ms),
    async lastWords() {
      if (exit !== null) await within(stderr.done, LATE_STDERR);
      return stderr.tail();
    },
    ended: whole,
  };
}
