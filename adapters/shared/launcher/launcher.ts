/**
 * The launcher's process, from its start to its end, and the slots for programs it starts.
 *
 * @module
 */

import type { ChildProcess as Process } from "node:child_process";
import { closeSync, constants, existsSync, openSync, writeSync } from "node:fs";
import type { ChildProcess, Command, UserIdentity } from "../../../src/runtime.ts";
import type { processGroup } from "../process_group.ts";
import { streamOf } from "./outlet.ts";
import { program } from "./program.ts";
import { createReportReader, type Source } from "./protocol.ts";
import type { WriteParts } from "./inlet.ts";
import { createSlot, type Slot } from "./slot.ts";

/** Programs that one launcher starts and that run at a time. */
const SLOTS = 32;

/** Room that a slot keeps for orders that start nothing, in bytes. */
const SHORT_ORDERS = 128;

/** Opens what can be opened again, and does nothing else; the constant is not among Node's (asm-generic/fcntl.h). */
const PATH_ONLY = 0o10000000;

/** Where Python is; others that go by the name may be anything. */
const interpreters = ["/usr/bin/python3", "/usr/local/bin/python3"];

/** A launcher that is ready. */
export interface Launcher {
  /** Programs that it could start now. */
  readonly free: number;
  /** Programs that run. */
  readonly running: number;
  /** Starts a program. `null`: it cannot be ordered now. Rejects with `NotLaunched`. */
  spawn(command: Command, source: Source): Promise<ChildProcess> | null;
  /** Settles when it starts no more: it has ended, or has too few slots left and will end with its programs. */
  readonly retired: Promise<void>;
}

/** What a launcher is started with. */
export interface LauncherOptions {
  /** Whom it becomes: `null` stays who this process is. */
  readonly user: UserIdentity | null;
  readonly kill: Parameters<typeof processGroup>[1];
  readonly write: WriteParts;
}

/** Starts a launcher and tries it out. `null`: here it does not work. */
export async function startLauncher(options: LauncherOptions): Promise<Launcher | null> {
  const interpreter = interpreters.find((path) => existsSync(path));
  if (interpreter === undefined) return null;
  const { user } = options;
  const ids = user === null ? ["", ""] : [`${user.uid}`, `${user.gid}`];
  let child: Process;
  try {
    // Part of the runtime: no descriptor is needed. Who runs no scripts does without it.
    const { spawn } = await import("node:child_process");
    child = spawn(interpreter, ["-I", "-S", "-c", program, `${SLOTS}`, ...ids], {
      cwd: "/",
      env: {},
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return null;
  }
  const sayings = sayingsOf(child);
  const first = await sayings.first;
  const launcher = first === null ? null : connect(child, first, sayings, options);
  if (launcher !== null && await works(launcher)) return launcher;
  child.kill("SIGKILL");
  return null;
}

/** What a launcher says. */
interface Sayings {
  /** Its first line. `null`: it has ended. */
  readonly first: Promise<string | null>;
  /** Gets all that follows, in pieces. */
  onPiece: (piece: Uint8Array) => void;
  readonly gone: Promise<void>;
}

function sayingsOf(child: Process): Sayings {
  let tellFirst!: (line: string | null) => void;
  let end!: () => void;
  let line = "";
  const sayings: Sayings = {
    first: new Promise((resolve) => tellFirst = resolve),
    onPiece(piece) {
      line += String.fromCharCode(...piece);
      // It says nothing more before it is told that the line was understood.
      if (line.endsWith("\n")) tellFirst(line);
    },
    gone: new Promise((resolve) => end = resolve),
  };
  const over = () => {
    tellFirst(null);
    end();
  };
  child.on("error", over);
  child.on("exit", over);
  child.stdout?.on("data", (piece: Uint8Array) => sayings.onPiece(piece));
  return sayings;
}

/** Opens the pipes that the launcher has made; their numbers are in its first line. `null` where that is not allowed. */
function connect(child: Process, first: string, sayings: Sayings, options: LauncherOptions): Launcher | null {
  const [room = 0, ordering, ...pipes] = first.split(" ").map(Number);
  const opened: number[] = [];
  const open = (number: number | undefined, flags: number) => {
    const fd = openSync(`/proc/${child.pid}/fd/${number}`, flags | constants.O_NONBLOCK);
    opened.push(fd);
    return fd;
  };
  try {
    const orders = open(ordering, constants.O_WRONLY);
    const ends = pipes.map((number, at) => open(number, at % 3 === 2 ? PATH_ONLY : constants.O_RDONLY));
    writeSync(orders, ".");
    return launcherOf({ child, room, orders, ends, sayings, ...options });
  } catch {
    for (const fd of opened) closeSync(fd);
    return null;
  }
}

interface Connection extends LauncherOptions {
  readonly child: Process;
  /** How many bytes of orders its pipe holds. */
  readonly room: number;
  readonly orders: number;
  readonly ends: readonly number[];
  readonly sayings: Sayings;
}

function launcherOf({ child, room, orders, ends, sayings, kill, write }: Connection): Launcher {
  const slots: Slot[] = [];
  const free: Slot[] = [];
  // Each slot has its share of the pipe: no order can ever be cut in two.
  const longest = room / (ends.length / 3) - SHORT_ORDERS;
  let lost = 0;
  let isRetired = false;
  let isClosed = false;
  let tellRetired!: () => void;
  const retired = new Promise<void>((resolve) => tellRetired = resolve);

  for (let key = 0; key < ends.length / 3; key++) {
    const pipes = [ends[3 * key]!, ends[3 * key + 1]!, ends[3 * key + 2]!] as const;
    const slot = createSlot(key, pipes, { send, kill, write, free: takeBack });
    slots.push(slot);
    free.push(slot);
  }
  rest();
  sayings.onPiece = createReportReader((report) => slots[report.slot]?.report(report));
  void sayings.gone.then(() => {
    retire();
    for (const slot of slots) slot.abandon();
    close();
  });

  /** While programs run, this process is not over; an idle launcher does not keep it. */
  function rest(): void {
    child.unref();
    socketOf(child).unref();
  }
  function wake(): void {
    child.ref();
    socketOf(child).ref();
  }
  function running(): number {
    return slots.length - lost - free.length;
  }
  function send(order: Uint8Array): boolean {
    if (isClosed || order.length > longest) return false;
    try {
      return writeSync(orders, order) === order.length;
    } catch {
      return false;
    }
  }
  function takeBack(slot: Slot): void {
    if (slot.isUsable()) free.push(slot);
    else lost += 1;
    if (lost > slots.length / 2) retire();
    if (running() > 0) return;
    if (isRetired) close();
    else rest();
  }
  function retire(): void {
    isRetired = true;
    tellRetired();
  }
  function close(): void {
    if (isClosed) return;
    isClosed = true;
    // This is what ends the launcher.
    closeSync(orders);
    for (const slot of slots) slot.close();
    rest();
  }
  return {
    get free() {
      return isRetired ? 0 : free.length;
    },
    get running() {
      return running();
    },
    spawn(command, source) {
      for (let at = isRetired ? -1 : free.length - 1; at >= 0; at--) {
        const child = free[at]!.start(command, source);
        if (child === null) return null;
        if (child === "held") continue;
        free.splice(at, 1);
        if (running() === 1) wake();
        return child;
      }
      return null;
    },
    retired,
  };
}

/** What is not in the types: a pipe may be told not to keep the process. */
function socketOf(child: Process): { ref(): void; unref(): void } {
  return child.stdout as unknown as { ref(): void; unref(): void };
}

/** Whether programs start, are given what they are to be given, and are told of. */
async function works(launcher: Launcher): Promise<boolean> {
  const line = new TextEncoder().encode("line\n");
  for (const source of [line, streamOf(line)]) {
    if (!await startsProgram(launcher, source)) return false;
  }
  return true;
}

async function startsProgram(launcher: Launcher, source: Source): Promise<boolean> {
  const started = launcher.spawn({
    program: "/bin/sh",
    args: ["-c", 'read -r line; printf "%s" "$line$A$0"; printf error >&2; kill -TERM $$', " b"],
    env: { A: " a" },
    cwd: "/",
    stdin: null,
    user: null,
  }, source);
  try {
    const child = await started;
    if (child === null) return false;
    const [output, errors, end] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return output === "line a b" && errors === "error" && end.signal === "SIGTERM";
  } catch {
    return false;
  }
}
