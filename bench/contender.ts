/**
 * A server that is measured: how it is started and ended, and what it uses meanwhile.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { type Group, groupOf } from "./processes.ts";
import { PROJECT, which, WORK } from "./work.ts";

/** What a server is started for. */
export interface Setting {
  readonly port: number;
  /** A folder of its own. */
  readonly folder: string;
  /** Whether it writes an access log, to a file. */
  readonly log: boolean;
  /** The CPUs it may use. */
  readonly cores: Cores;
}

export type Cores = 1 | 2;

/** How it is started: a program in the foreground, whose output goes to a file. */
export interface Start {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files that are written into its folder before. */
  readonly files?: Readonly<Record<string, string>>;
}

/** One that is measured. */
export interface Contender {
  readonly name: string;
  /** Programs that must be installed. */
  readonly needs: readonly string[];
  /** Arguments of the first of them that make it print its version. */
  readonly version: readonly string[];
  /** Names of the cases that it is in. */
  readonly cases: RegExp;
  /** Whether it must have run for seconds until it is as fast as it gets. */
  readonly jit?: boolean;
  /** Whether what it is compared with is measured once more right after it, and so on both sides of it. */
  readonly paired?: boolean;
  start(setting: Setting): Start;
}

/** No server but a program that does what a server must do at least: the limit of the machine. */
export interface Limit extends Omit<Contender, "start" | "jit"> {
  /** A command that prints what the load tool prints. */
  command(
    work: { readonly path: string; readonly connections: number; readonly seconds: number },
    cores: Cores,
  ): readonly string[];
}

/** A contender that runs. */
export interface Running {
  readonly contender: Contender;
  readonly port: number;
  /** When its first process was asked for, as `performance.now()` has it. */
  readonly began: number;
  /** Its processes, and what they use. */
  readonly group: Group;
  /** What it has printed so far. */
  output(): string;
  ended(): boolean;
  stop(): Promise<void>;
}

/** Whether all of its programs are installed. */
export function isInstalled({ needs }: Pick<Contender, "needs">): boolean {
  return needs.every((program) => which(program) !== null);
}

/** The CPUs of a server, and those of what sends requests to it. */
export function cpusOf(cores: Cores): { readonly server: string; readonly load: string } {
  if (cores === 1) return { server: "0", load: "1" };
  return { server: "0,1", load: availableParallelism() > 2 ? "2" : "0,1" };
}

/** Words that run a program on these CPUs alone. */
export function pinned(cpus: string, argv: readonly string[]): readonly string[] {
  return ["taskset", "-c", cpus, ...argv];
}

/**
 * Starts it, and waits until it takes connections.
 *
 * @throws {Error} When it ends, or does not within 20 seconds.
 */
export async function start(
  contender: Contender,
  setting: Pick<Setting, "log" | "cores">,
): Promise<Running> {
  const server = await launch(contender, setting);
  const until = Date.now() + 20_000;
  while (!server.ended() && Date.now() < until) {
    if (await takesConnections(server.port)) return server;
    await sleep(20);
  }
  const said = lastWords(server);
  await server.stop();
  throw new Error(`${contender.name} does not start: ${said}`);
}

/** What it has printed that may tell why it does not run. */
export function lastWords(server: Running): string {
  const lines = stripVTControlCharacters(server.output()).trim().split("\n");
  const said = lines.find((line) => /error/i.test(line)) ?? lines.at(-1)!;
  return said.trim().replaceAll(PROJECT, "").slice(0, 120);
}

/**
 * Without what makes some slower than others. Some servers hand the locale on to scripts, others do not; Perl takes a
 * quarter longer to start with one. Node 20 reads the certificates named by `NODE_EXTRA_CA_CERTS` whenever it starts: a
 * system's own list takes it as long as all the rest.
 */
function plainEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const slowing = /^(LANG|LANGUAGE|LC_.*|NODE_EXTRA_CA_CERTS)$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !slowing.test(name)));
}

/** Starts it, and waits for nothing. */
export async function launch(
  contender: Contender,
  { log, cores }: Pick<Setting, "log" | "cores">,
): Promise<Running> {
  const port = await freePort();
  const folder = join(WORK, "run", `${contender.name.replace(/\W+/g, "-")}-${port}`);
  mkdirSync(folder, { recursive: true, mode: 0o777 });
  const { argv, env, files } = contender.start({ port, folder, log, cores });
  for (const [name, text] of Object.entries(files ?? {})) writeFileSync(join(folder, name), text);
  const outputFile = join(folder, "output.log");
  const output = openSync(outputFile, "a");
  const [program, ...args] = pinned(cpusOf(cores).server, argv);
  const group = groupOf(port);
  const began = performance.now();
  const child = spawn("sh", ["-c", `${group.enter} exec "$@"`, "sh", program!, ...args], {
    cwd: folder,
    env: { ...plainEnvironment(process.env), ...env },
    stdio: ["ignore", output, output],
    detached: true,
  });
  closeSync(output);
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => {
      ended = true;
      resolve();
    });
  });
  const pid = child.pid!;
  group.root = pid;
  return {
    contender,
    port,
    began,
    group,
    output: () => readFileSync(outputFile, "utf8"),
    ended: () => ended,
    async stop() {
      const pids = group.processes();
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        for (const one of pids.length > 0 ? pids : [pid]) kill(one, signal);
        await Promise.race([exited, sleep(2000)]);
        if (group.processes().length === 0 && ended) break;
      }
      group.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What it says its version is. */
export function versionOf({ needs, version }: Pick<Contender, "needs" | "version">): string {
  const [program = ""] = needs;
  const { stdout, stderr } = spawnSync(which(program) ?? program, [...version], {
    encoding: "utf8",
    timeout: 10_000,
  });
  return /\d+\.\d+(\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? "";
}

/** A port that nobody listens on: below those that clients are given, which may be taken the moment after. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (!await takesConnections(port)) return port;
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    }).once("error", () => resolve(false));
  });
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
