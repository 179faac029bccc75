/**
 * A place for one program at a time that the launcher starts: three pipes, and what is known of who uses them.
 *
 * @module
 */

import { type FinishedRun, hasFinished } from "../../../src/finished_run.ts";
import type { Bytes, ChildProcess, Command, ExitStatus } from "../../../src/runtime.ts";
import { feed, type PipeInput } from "../feed.ts";
import { type ProcessGroup, processGroup } from "../process_group.ts";
import { createInlet, type WriteParts } from "./inlet.ts";
import { createOutlet, type Outlet, streamOf } from "./outlet.ts";
import { closeOrder, leaveOrder, type Report, type Source, watchOrder, type Written } from "./protocol.ts";
import { startOrder } from "./start_order.ts";

/** How a slot reaches the launcher, and who keeps it. */
export interface SlotHost {
  /** Hands an order over. `false`: the launcher cannot take it. */
  send(order: Uint8Array): boolean;
  readonly write: WriteParts;
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
  /**
   * Starts a program. `null`: it cannot be ordered; `"held"`: not in this slot, whose input an earlier program's children
   * hold. Rejects with {@linkcode NotLaunched}.
   */
  start(command: Command, source: Source): Promise<ChildProcess> | "held" | null;
  report(report: Report): void;
  /** There is no launcher any more. */
  abandon(): void;
  /** Whether another program may use it. */
  isUsable(): boolean;
  close(): void;
}

type Ended = Extract<Report, { readonly kind: "ended" }>;

const NOTHING_YET: Written = { bytes: new Uint8Array(0), more: true };

/** A program in its slot. */
interface Run {
  resolve(child: ChildProcess): void;
  reject(error: NotLaunched): void;
  /** Set while it runs on. */
  group: ProcessGroup | null;
  ended(status: ExitStatus): void;
  /** What it is to be fed with, and by what. */
  readonly source: Source;
  readonly input: PipeInput | null;
}

/** A program that has ended with all that it started: whoever knows of that needs no streams. */
function finishedChild(pid: number, exited: Promise<ExitStatus>, run: FinishedRun): ChildProcess {
  let stdout: ReadableStream<Bytes> | null = null;
  let stderr: ReadableStream<Bytes> | null = null;
  const finished: ChildProcess = {
    pid,
    exited,
    stop: nothingLeft,
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

const nothingLeft = (): false => false;

/** The slot's pipes: the reading ends of two for output, and one for input by a descriptor that opens nothing. */
export type SlotPipes = readonly [stdout: number, stderr: number, stdin: number];

/** Takes them over. */
export function createSlot(key: number, pipes: SlotPipes, host: SlotHost): Slot {
  let run: Run | null = null;
  let isFree = true;
  const out = outlet(0);
  const err = outlet(1);
  const inlet = createInlet(pipes[2], {
    watch: () => host.send(watchOrder(key, 2)),
    leave: () => host.send(leaveOrder(key)),
    write: host.write,
  });

  function outlet(which: 0 | 1): Outlet {
    return createOutlet(pipes[which], {
      watch: () => host.send(watchOrder(key, which)),
      leave: () => host.send(closeOrder(key, which)),
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
    if (run.input !== null) feed(run.source as ReadableStream<Uint8Array>, run.input, exited);
    run.resolve({ pid, stdout: out.stream(null), stderr: err.stream(null), exited, stop: group.stop });
  }
  function ended(report: Ended): void {
    const ending = run;
    if (ending === null) return;
    run = null;
    if (ending.group === null) return ending.resolve(over(report));
    const { status, left } = report;
    ending.group.ended(!left);
    out.ended();
    err.ended();
    ending.ended(status);
    freeIfDone();
  }
  /** A program that has ended already. */
  function over({ pid, status, left, output, errors }: Ended): ChildProcess {
    const stdout = out.rest(output);
    const stderr = err.rest(errors);
    const exited = Promise.resolve(status);
    if (!left && out.isOver() && err.isOver()) {
      return finishedChild(pid, exited, { stdout, stderr, status });
    }
    const group = processGroup(pid, host.kill);
    group.ended(!left);
    return { pid, stdout: out.stream(stdout), stderr: err.stream(stderr), exited, stop: group.stop };
  }
  const slot: Slot = {
    start(command, source) {
      const order = startOrder(key, command, source);
      if (order === null) return null;
      const isFed = source !== null && typeof source === "object" && "getReader" in source;
      const input = isFed ? inlet.open() : null;
      if (isFed && input === null) return "held";
      if (!host.send(order)) {
        input?.close();
        return null;
      }
      isFree = false;
      out.begin();
      err.begin();
      return new Promise((resolve, reject) => {
        run = { resolve, reject, group: null, ended: () => {}, source, input };
      });
    },
    report(report) {
      switch (report.kind) {
        case "started":
          return started(report.pid);
        case "ready":
          return report.pipe === 2 ? inlet.writable() : (report.pipe === 0 ? out : err).readable();
        case "ended":
          return ended(report);
        case "failed":
          return failed(report.isProgram ? report.code : null);
      }
    },
    abandon() {
      const left = run;
      run = null;
      if (left?.group === null) left.input?.close();
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
      inlet.close();
    },
  };
  function failed(code: string | null): void {
    const failing = run;
    run = null;
    failing?.input?.close();
    // Nothing was started that could have written.
    for (const outlet of [out, err]) {
      outlet.rest(NOTHING_YET);
      if (!outlet.isOver()) outlet.close();
    }
    failing?.reject(new NotLaunched(code));
  }
  return slot;
}
