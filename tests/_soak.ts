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
import type { ClientReport, ClientTask } from "./_soak_client.ts";
import { HTTP2_KINDS } from "./_soak_http2.ts";
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
  /** What the server wrote to its terminal. It has no log. */
  readonly printed: string;
  /** Resident memory in megabytes, when half was done and at the end. */
  readonly memory: { readonly half: number; readonly end: number };
  readonly seconds: number;
}

/** Plays all kinds of requests, and looks around. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const mark = `soak-${process.pid}-${options.seed ?? 1}-${Date.now()}`;
  const server = await startServer(mark);
  try {
    const before = await warmUp(server, mark, options);
    const begun = performance.now();
    let half = 0;
    const { kinds, wrong } = await runClient(
      server,
      options,
      () => half = residentMegabytes(server.pid),
    );
    const seconds = (performance.now() - begun) / 1000;
    const processes = await settle(server.pid, mark);
    const after = await settled(server.pid, before);
    const last = await play(server, "hello", Math.random);
    return {
      kinds,
      wrong: last === null ? wrong : [...wrong, `the last one: ${last}`],
      processes,
      descriptors: beyond(after.descriptors, before.descriptors),
      files: beyond(after.files, before.files),
      printed: server.printed(),
      memory: { half, end: residentMegabytes(server.pid) },
      seconds,
    };
  } finally {
    await server.close();
  }
}

/** What a runtime opens with its first requests, its first scripts and their first ends is no leak: it is not opened again. */
async function warmUp(server: SoakServer, mark: string, options: SoakOptions): Promise<Surroundings> {
  let before = look(server.pid);
  for (let round = 0; round < 5; round++) {
    await runClient(server, { ...options, requests: 50, onProgress() {} });
    await settle(server.pid, mark);
    const last = before;
    before = await settled(server.pid, last, 1000);
    if (beyond(before.descriptors, last.descriptors).length === 0) break;
  }
  return before;
}

interface SoakServer extends Target {
  readonly pid: number;
  /** Where HTTP/2 is offered. */
  readonly http2Port: number | null;
  /** What it has written to standard error. Nothing should be. */
  printed(): string;
  close(): Promise<void>;
}

async function startServer(mark: string): Promise<SoakServer> {
  const child = start("_soak_server", [], { SOAK: mark }, "pipe");
  const decoder = new TextDecoder();
  let printed = "";
  child.stderr!.on("data", (bytes: Uint8Array) => printed += decoder.decode(bytes, { stream: true }));
  const ports = await new Promise<string>((resolve, reject) => {
    eachLine(child, resolve);
    child.once("exit", (code) => reject(new Error(`The server ended with ${code}: ${printed}`)));
  });
  const [port, http2Port] = ports.trim().split(" ").map(Number);
  const exited = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  return {
    pid: child.pid!,
    printed: () => printed,
    hostname: "127.0.0.1",
    port: port!,
    http2Port: http2Port ?? null,
    async close() {
      child.stdin!.end();
      await exited;
    },
  };
}

/** Runs the clients, in a process whose end closes all that they might have left open. */
function runClient(
  { port, http2Port }: SoakServer,
  options: SoakOptions,
  onHalf: () => void = () => {},
): Promise<ClientReport> {
  const { requests, concurrency = 24, seed = 1, onProgress = () => {} } = options;
  const offered = http2Port === null ? KINDS : { ...KINDS, ...HTTP2_KINDS };
  const { kinds = Object.keys(offered) } = options;
  const task: ClientTask = { port, http2Port, requests, concurrency, seed, kinds };
  const child = start("_soak_client", [JSON.stringify(task)]);
  return new Promise((resolve, reject) => {
    let report: ClientReport | null = null;
    eachLine(child, (line) => {
      if (line === "half") onHalf();
      else if (line.startsWith("{")) report = JSON.parse(line) as ClientReport;
      else onProgress(Number(line));
    });
    child.once("close", (code) => {
      if (report === null) reject(new Error(`The clients ended with ${code}`));
      else resolve(report);
    });
  });
}

function start(
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
  stderr: "inherit" | "pipe" = "inherit",
): ChildProcess {
  // In the compiled tests they are .js files.
  const file = fileURLToPath(new URL(`./${name}${import.meta.url.slice(-3)}`, import.meta.url));
  const before = runtime.name === "deno" ? ["run", "--no-check", "-A"] : [];
  return spawn(process.execPath, [...before, file, ...args], {
    stdio: ["pipe", "pipe", stderr],
    env: { ...process.env, ...env },
  });
}

function eachLine(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = "";
  const decoder = new TextDecoder();
  child.stdout!.on("data", (bytes: Uint8Array) => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    lines.forEach(onLine);
  });
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

/** Connections take a moment to be closed on both sides: so long at most, in milliseconds. */
async function settled(server: number, before: Surroundings, patience = 10_000): Promise<Surroundings> {
  const deadline = performance.now() + patience;
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

/**
 * But those of the launchers, which are kept: one for each pipe, in as many launchers as there were scripts at a time,
 * and what each of them reports and ends by.
 */
function openDescriptors(server: number): readonly string[] {
  const launchers = launchersOf(server);
  const kept = new Set(launchers.flatMap((pid) => descriptorsOf(pid).map(({ name }) => name)));
  // The server's end of a socket goes by another name than the launcher's.
  let reports = launchers.filter((pid) => linkOf(`/proc/${pid}/fd/1`)?.startsWith("socket:")).length;
  const isOfLauncher = ({ name, path }: Descriptor) => {
    if (name.startsWith("socket:") && reports > 0) {
      reports -= 1;
      return true;
    }
    return kept.delete(name) ||
      (name.includes("pidfd") && launchers.includes(processOf(path)));
  };
  return descriptorsOf(server).filter((descriptor) => !isOfLauncher(descriptor))
    .map(({ name }) => name.replace(/:\[\d+\]$/, ""));
}

interface Descriptor {
  readonly path: string;
  readonly name: string;
}

function descriptorsOf(pid: number): readonly Descriptor[] {
  if (!existsSync(`/proc/${pid}/fd`)) return [];
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    const path = `/proc/${pid}/fd/${descriptor}`;
    const name = linkOf(path);
    return name === null ? [] : [{ path, name }];
  });
}

/** `null`: closed meanwhile. */
function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** Whose end a descriptor tells of; `NaN` if it is closed by now. */
function processOf(path: string): number {
  try {
    return Number(/^Pid:\s*(\d+)$/m.exec(readFileSync(path.replace("/fd/", "/fdinfo/"), "latin1"))?.[1]);
  } catch {
    return NaN;
  }
}

/** What starts its scripts. */
function launchersOf(server: number): readonly number[] {
  if (!existsSync("/proc")) return [];
  return readdirSync("/proc").map(Number).filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return parent === server && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("\0-I\0-S\0-c\0");
    } catch {
      // No process, or it has ended meanwhile.
      return false;
    }
  });
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
