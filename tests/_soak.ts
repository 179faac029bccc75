/**
 * Many requests of every unpleasant kind against scripts, in any order and at
 * the same time; and then a look at what is left of them.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime } from "./_runtime.ts";
import { KINDS, pause, play } from "./_soak_kinds.ts";
import type { Target } from "./_http.ts";

/** How much. */
export interface SoakOptions {
  readonly requests: number;
  /** At the same time. @default {24} */
  readonly concurrency?: number;
  /** The same seed gives the same requests in the same order. @default {1} */
  readonly seed?: number;
  /** Only these kinds of requests. @default {all} */
  readonly kinds?: readonly string[];
  /** Called now and then. */
  readonly onProgress?: (done: number) => void;
}

/** What was left, and how long it took. */
export interface SoakReport {
  /** Requests by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Answers that were not the expected ones. */
  readonly wrong: readonly string[];
  /** Processes that are still there, zombies included. */
  readonly processes: readonly string[];
  /** Open descriptors that were not open before. */
  readonly descriptors: readonly string[];
  /** Files in the folder for temporary files that were not there before. */
  readonly files: readonly string[];
  /** Resident memory in megabytes, when half was done and at the end. */
  readonly memory: { readonly half: number; readonly end: number };
  readonly seconds: number;
}

/** Plays all kinds of requests, and looks around. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { requests, concurrency = 24, seed = 1, onProgress = () => {} } = options;
  const names = options.kinds ?? Object.keys(KINDS);
  const mark = `soak-${process.pid}-${seed}-${Date.now()}`;
  const server = await startServer(mark);
  const random = createRandom(seed);
  const kinds: Record<string, number> = {};
  const wrong: string[] = [];
  let started = 0;
  let half = 0;

  async function playOne(): Promise<void> {
    const name = pick(names, random);
    kinds[name] = (kinds[name] ?? 0) + 1;
    const fault = await play(server, name, random);
    if (fault !== null) wrong.push(`${name}: ${fault}`);
  }
  async function playOn(): Promise<void> {
    while (started < requests) {
      started += 1;
      if (started === Math.ceil(requests / 2)) half = residentMegabytes(server.pid);
      if (started % 500 === 0) onProgress(started);
      await playOne();
    }
  }
  // What a runtime opens and loads with its first requests is no leak.
  for (const name of names) await play(server, name, random);
  await settle(server.pid, mark);
  const before = look(server.pid);
  const begun = performance.now();
  await Promise.all(Array.from({ length: concurrency }, playOn));
  const seconds = (performance.now() - begun) / 1000;
  const processes = await settle(server.pid, mark);
  const after = await settled(server.pid, before);
  const last = await play(server, "hello", random);
  if (last !== null) wrong.push(`the last one: ${last}`);
  const end = residentMegabytes(server.pid);
  await server.close();
  return {
    kinds,
    wrong,
    processes,
    descriptors: beyond(after.descriptors, before.descriptors),
    files: beyond(after.files, before.files),
    memory: { half, end },
    seconds,
  };
}

interface SoakServer extends Target {
  readonly pid: number;
  close(): Promise<void>;
}

async function startServer(mark: string): Promise<SoakServer> {
  // In the compiled tests it is a .js file.
  const file = fileURLToPath(new URL(`./_soak_server${import.meta.url.slice(-3)}`, import.meta.url));
  const before = runtime.name === "deno" ? ["run", "--no-check", "-A"] : [];
  const child: ChildProcess = spawn(process.execPath, [...before, file], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, SOAK: mark },
  });
  const exited = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout!.once("data", (line: Uint8Array) => resolve(Number(new TextDecoder().decode(line))));
    child.once("exit", (code) => reject(new Error(`The server ended with ${code}`)));
  });
  return {
    pid: child.pid!,
    hostname: "127.0.0.1",
    port,
    async close() {
      child.stdin!.end();
      await exited;
    },
  };
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

/** Waits for the scripts to be gone, and returns those that are not. */
async function settle(server: number, mark: string): Promise<readonly string[]> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const left = scriptsLeft(server, mark);
    if (left.length === 0 || performance.now() > deadline) return left;
    await pause(50);
  }
}

interface Surroundings {
  readonly descriptors: readonly string[];
  readonly files: readonly string[];
}

function look(server: number): Surroundings {
  return { descriptors: openDescriptors(server), files: temporaryFiles() };
}

/** Connections take a moment to be closed on both sides. */
async function settled(server: number, before: Surroundings): Promise<Surroundings> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const now = look(server);
    const more = beyond(now.descriptors, before.descriptors).length + beyond(now.files, before.files).length;
    if (more === 0 || performance.now() > deadline) return now;
    await pause(50);
  }
}

/** The kinds of which there are more now: sockets and pipes have names of their own. */
function beyond(now: readonly string[], before: readonly string[]): readonly string[] {
  const rest = [...before];
  return now.filter((name) => {
    const at = rest.indexOf(name);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function openDescriptors(server: number): readonly string[] {
  if (!existsSync(`/proc/${server}/fd`)) return [];
  const names = readdirSync(`/proc/${server}/fd`).map((descriptor) => {
    try {
      return readlinkSync(`/proc/${server}/fd/${descriptor}`).replace(/:\[\d+\]$/, "");
    } catch {
      // Closed meanwhile.
      return null;
    }
  });
  return names.filter((name) => name !== null);
}

/** Those that a request's body is collected in, where the system cannot make them without a name. */
function temporaryFiles(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) =>
    /^htbin-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(name)
  );
}

/** Processes with the mark in their environment, wherever they have gone, and zombies of the server. */
function scriptsLeft(server: number, mark: string): readonly string[] {
  if (!existsSync("/proc")) return [];
  const left: string[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === server) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z") {
        if (Number(parent) === server) left.push(`${name} (zombie)`);
        continue;
      }
      const marked = readFileSync(`/proc/${name}/environ`, "latin1").includes(`SOAK=${mark}\0`);
      if (marked) {
        left.push(
          `${name} ${readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ").slice(0, 60)}`,
        );
      }
    } catch {
      // It has ended meanwhile, or is not ours to look at.
    }
  }
  return left;
}

function residentMegabytes(server: number): number {
  const status = existsSync("/proc") ? readFileSync(`/proc/${server}/status`, "latin1") : "";
  return Math.round(Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
}
