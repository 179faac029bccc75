/**
 * The command line as a process, on the runtime that runs the tests.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtimeName } from "./_conformance.ts";
import type { Target } from "./_http.ts";

/** How to start it. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Number of the user and group it runs as. */
  readonly user?: number;
  /** A program of its own, in place of the runtime and the source. */
  readonly program?: string;
  /** What Deno is given in place of `-A`. */
  readonly permissions?: readonly string[];
  /** In a terminal of its own; standard error is then part of standard output. */
  readonly terminal?: boolean;
  /** Most descriptors that it may have open. */
  readonly descriptors?: number;
  /** With a socket that listens already, as systemd hands one over. */
  readonly socket?: boolean;
}

/** What a command that has ended left behind. */
export interface CommandResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server that has said where it listens. */
export interface RunningCommand {
  readonly pid: number;
  /** The first line on its standard output. */
  readonly banner: string;
  /** Where it says it listens, from the banner. */
  readonly url: string;
  readonly address: Target & { readonly port: number };
  stdout(): string;
  stderr(): string;
  /** Resolves once standard output matches. */
  printed(pattern: RegExp): Promise<string>;
  /** Resolves once standard error matches. */
  logged(pattern: RegExp): Promise<string>;
  /** Sends a signal. */
  signal(name: "SIGINT" | "SIGTERM" | "SIGKILL" | "SIGHUP" | "SIGPIPE"): void;
  readonly exited: Promise<CommandResult>;
  /** Ends it and waits for that. */
  stop(): Promise<CommandResult>;
}

/** Longest wait for anything, in milliseconds: a machine may be busy. */
const PATIENCE = 20_000;

/**
 * Program and arguments of the command line on this runtime: the source, or the file that `HTBIN_COMMAND` names, such as
 * the one in the package.
 */
export function commandLine(
  args: readonly string[],
  permissions: readonly string[] = ["-A"],
): readonly [program: string, args: readonly string[]] {
  const file = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
  const built = process.env["HTBIN_COMMAND"];
  const before = {
    // A check of types is another test's.
    deno: () => ["run", "--no-check", ...permissions, built ?? file("mod.ts")],
    bun: () => [built ?? file("mod.ts")],
    node: () => [built ?? file("cli.js")],
  }[runtimeName]();
  return [process.execPath, [...before, ...args]];
}

/** Runs it to its end, with nothing to read. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return await launch(args, options).exited;
}

/** Starts a server, and waits for its first line. */
export async function startCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<RunningCommand> {
  const launched = launch(args, options);
  const [banner] = await launched.printed("stdout", /^[^\n]*\n/);
  const url = /[("](https?:\/\/[^)"]*)[)"]/.exec(banner!)?.[1];
  if (url === undefined) {
    process.kill(launched.child.pid!, "SIGKILL");
    throw new Error(`No URL in the first line: ${banner}`);
  }
  const { hostname, port } = new URL(url);
  // child.kill() of Deno's node:child_process makes up how the child ended.
  const signal = (name: NodeJS.Signals) => {
    if (launched.child.exitCode === null) process.kill(launched.child.pid!, name);
  };
  return {
    pid: launched.child.pid!,
    banner: banner!.trimEnd(),
    url,
    address: { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) },
    stdout: launched.stdout,
    stderr: launched.stderr,
    printed: async (pattern) => (await launched.printed("stdout", pattern))[0]!,
    logged: async (pattern) => (await launched.printed("stderr", pattern))[0]!,
    signal,
    exited: launched.exited,
    async stop() {
      signal("SIGTERM");
      // A second one ends it at once, also with connections that stay open.
      const timer = setTimeout(() => signal("SIGTERM"), 2_000);
      const last = setTimeout(() => signal("SIGKILL"), 5_000);
      try {
        return await launched.exited;
      } finally {
        clearTimeout(timer);
        clearTimeout(last);
      }
    },
  };
}

interface Launched {
  readonly child: ChildProcess;
  readonly exited: Promise<CommandResult>;
  stdout(): string;
  stderr(): string;
  printed(from: "stdout" | "stderr", pattern: RegExp): Promise<string[]>;
}

function launch(args: readonly string[], options: CommandOptions): Launched {
  const { cwd, user, permissions, program: own } = options;
  const words = own === undefined ? commandLine(args, permissions) : [own, args] as const;
  const [program, programArgs] = options.terminal
    ? inTerminal(words)
    : options.descriptors !== undefined
    ? withLimit(words, options.descriptors)
    : options.socket
    ? withSocket(words)
    : words;
  const cache = user === undefined ? null : cacheFor(user);
  const child = spawn(program, programArgs, {
    ...(cwd !== undefined && { cwd }),
    ...(user !== undefined && { uid: user, gid: user }),
    env: environment({ ...options.env, ...cache?.env }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]!.setEncoding("utf8").on("data", (piece: string) => {
      text[name] += piece;
      for (const wake of [...waiting]) wake();
    });
  }
  const exited = new Promise<CommandResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      cache?.remove();
      resolve({ code, signal, ...text });
      for (const wake of [...waiting]) wake();
    });
  });
  // A failure to start shows where the end is awaited, or the first line.
  exited.catch(() => {});
  function printed(
    from: "stdout" | "stderr",
    pattern: RegExp,
  ): Promise<string[]> {
    return new Promise((resolve, reject) => {
      function settle(): void {
        clearTimeout(timer);
        waiting.delete(wake);
      }
      function fail(what: string): void {
        settle();
        const seen = JSON.stringify(text);
        reject(new Error(`${what} before ${from} matched ${pattern}: ${seen}`));
      }
      const timer = setTimeout(() => fail("Time was up"), PATIENCE);
      function wake(): void {
        const match = pattern.exec(text[from]);
        if (match !== null) {
          settle();
          resolve([...match]);
        } else if (child.exitCode !== null || child.signalCode !== null) {
          fail("The command ended");
        }
      }
      waiting.add(wake);
      wake();
      exited.catch(() => fail("The command did not start"));
    });
  }
  return {
    child,
    exited,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    printed,
  };
}

/** Runs a command in a pseudo-terminal, with the program of that name. */
function inTerminal(
  [program, args]: readonly [string, readonly string[]],
): readonly [string, readonly string[]] {
  const quoted = [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return ["script", ["-qefc", `exec ${quoted.join(" ")}`, "/dev/null"]];
}

/** Runs a command with so many descriptors at most. */
function withLimit(
  [program, args]: readonly [string, readonly string[]],
  descriptors: number,
): readonly [string, readonly string[]] {
  const script = `ulimit -n ${descriptors} && exec "$0" "$@"`;
  return ["/bin/sh", ["-c", script, program, ...args]];
}

/** Runs a command with a listening socket as descriptor 3, and the variables that say so: sd_listen_fds(3). */
function withSocket(
  [program, args]: readonly [string, readonly string[]],
): readonly [string, readonly string[]] {
  const script = [
    "use Socket; use POSIX; $^F = 9;",
    "socket(S, PF_INET, SOCK_STREAM, 0) or die; bind(S, sockaddr_in(0, INADDR_LOOPBACK)) or die;",
    "listen(S, 128) or die; POSIX::dup2(fileno(S), 3) if fileno(S) != 3;",
    "@ENV{'LISTEN_FDS', 'LISTEN_PID'} = (1, $$); exec @ARGV;",
  ].join(" ");
  return ["perl", ["-e", script, program, ...args]];
}

/** This process's environment without what changes colours, and with what is added. */
function environment(
  added: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const { NO_COLOR: _n, FORCE_COLOR: _f, ...inherited } = process.env;
  return Object.fromEntries(
    Object.entries({ ...inherited, ...added }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}

/** Another user cannot write to this one's caches. */
function cacheFor(user: number): { env: Record<string, string>; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "htbin-cache-"));
  return {
    env: { HOME: folder, DENO_DIR: folder, DENO_NO_UPDATE_CHECK: "1", USER: `${user}` },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
