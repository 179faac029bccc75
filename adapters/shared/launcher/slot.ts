/**
 * A place for one program at a time that the launcher starts: two pipes, and what is known of who uses them.
 *
 * @module
 */

import { type FinishedRun, hasFinished } from "../../../src/finished_run.ts";
import type { Bytes, ChildProcess, Command, ExitStatus } from "../../../src/runtime.ts";
import { type ProcessGroup, processGroup } from "../process_group.ts";
import { createOutlet, type Outlet, streamOf } from "./outlet.ts";
import { leaveOrder, type Report, type Source, startOrder, watchOrder } from "./protocol.ts";

/** How a slot reaches the launcher, and who keeps it. */
export interface SlotHost {
  /** Hands an order over. `false`: the launcher cannot take it. */
  send(order: Uint8Array): boolean;
  readonly kill: Parameters<typeof processGroup>[1];
  /** The slot's program and all who hold its pipes are done. */
  free(slot: Slot): void;
}

/** Why the launcher did not start a program. */
export class NotLaunched extends Error {
  /** The error's name. */
  override name = "NotLaunched";
  /** The system's error code, where it is the program that cannot be started; else `null`. */
  readonly code: string | null;
  constructor(code: string | null) {
    super(code ?? "the launcher failed");
    this.code = code;
  }
}

/** A place for a program. */
export interface Slot {
  /** Starts a program. `null`: it cannot be ordered. Rejects with {@linkcode NotLaunched}. */
  start(command: Command, source: Source): Promise<ChildProcess> | null;
  report(report: Report): void;
  /** There is no launcher any more. */
  abandon(): void;
  /** Whether another program may use it. */
  isUsable(): boolean;
  close(): void;
}

/** A program in its slot. */
interface Run {
  resolve(child: ChildProcess): void;
  reject(error: NotLaunched): void;
  /** Set while it runs on. */
  group: ProcessGroup | null;
  ended(status: ExitStatus): void;
}

/** A program that has ended with all that it started: whoever knows of that needs no streams. */
function finishedChild(child: Omit<ChildProcess, "stdout" | "stderr">, run: FinishedRun): ChildProcess {
  let stdout: ReadableStream<Bytes> | null = null;
  let stderr: ReadableStream<Bytes> | null = null;
  const finished: ChildProcess = {
    ...child,
    get stdout() {
      return stdout ??= streamOf(run.stdout);
    },
    get stderr() {
      return stderr ??= streamOf(run.stderr);
    },
  };
  hasFinished(finished, run);
  return finished;
}

/** Takes over the reading ends of the slot's pipes. */
export function createSlot(key: number, outputs: readonly [number, number], host: SlotHost): Slot {
  let run: Run | null = null;
  let isFree = true;
  const out = outlet(0);
  const err = outlet(1);

  function outlet(which: 0 | 1): Outlet {
    return createOutlet(outputs[which], {
      watch: () => host.send(watchOrder(key, which)),
      leave: () => host.send(leaveOrder(key, which)),
      over: freeIfDone,
    });
  }
  function freeIfDone(): void {
    if (isFree || run !== null || !out.isOver() || !err.isOver()) return;
    isFree = true;
    host.free(slot);
  }
  function started(pid: number): void {
    if (run === null) return;
    out.started();
    err.started();
    const group = processGroup(pid, host.kill);
    run.group = group;
    let ended!: (status: ExitStatus) => void;
    const exited = new Promise<ExitStatus>((resolve) => ended = resolve);
    run.ended = ended;
    run.resolve({ pid, stdout: out.stream(null), stderr: err.stream(null), exited, stop: group.stop });
  }
  function ended(pid: number, status: ExitStatus, left: boolean): void {
    const ending = run;
    if (ending === null) return;
    run = null;
    if (ending.group === null) return ending.resolve(over(pid, status, left));
    ending.group.ended(!left);
    out.ended();
    err.ended();
    ending.ended(status);
    freeIfDone();
  }
  /** A program that has ended already. */
  function over(pid: number, status: ExitStatus, left: boolean): ChildProcess {
    const group = processGroup(pid, host.kill);
    group.ended(!left);
    const stdout = out.rest();
    const stderr = err.rest();
    const exited = Promise.resolve(status);
    const { stop } = group;
    if (left || !out.isOver() || !err.isOver()) {
      return { pid, stdout: out.stream(stdout), stderr: err.stream(stderr), exited, stop };
    }
    return finishedChild({ pid, exited, stop }, { stdout, stderr, status });
  }
  const slot: Slot = {
    start(command, source) {
      const order = startOrder(key, command, source);
      if (order === null || !host.send(order)) return null;
      isFree = false;
      out.begin();
      err.begin();
      return new Promise((resolve, reject) => run = { resolve, reject, group: null, ended: () => {} });
    },
    report(report) {
      switch (report.kind) {
        case "started":
          return started(report.pid);
        case "readable":
          return (report.outlet === 0 ? out : err).readable();
        case "ended":
          return ended(report.pid, report.status, report.left);
        case "failed":
          return failed(report.isProgram ? report.code : null);
      }
    },
    abandon() {
      const left = run;
      run = null;
      left?.reject(new NotLaunched(null));
      left?.group?.stop("KILL");
      left?.group?.ended();
      out.close();
      err.close();
      // What is known of it: nobody can tell any more.
      left?.ended({ code: null, signal: "SIGKILL" });
    },
    isUsable: () => !out.isLost() && !err.isLost(),
    close() {
      out.close();
      err.close();
    },
  };
  function failed(code: string | null): void {
    const failing = run;
    run = null;
    // Nothing was started that could have written.
    for (const outlet of [out, err]) {
      outlet.rest();
      if (!outlet.isOver()) outlet.close();
    }
    failing?.reject(new NotLaunched(code));
  }
  return slot;
}
