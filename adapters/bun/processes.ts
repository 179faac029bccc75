/**
 * Programs on Bun.
 *
 * @module
 */

import { readFile } from "node:fs";
import type { Bytes, ChildProcess, Command, ExitStatus, ProcessHost } from "../../src/runtime.ts";
import { calledBack } from "../shared/called_back.ts";
import { feed, type PipeInput } from "../shared/feed.ts";
import { createLaunching } from "../shared/launcher/launching.ts";
import { os } from "../shared/part.ts";
import { process } from "../shared/process.ts";
import { processGroup } from "../shared/process_group.ts";
import { spawnError } from "../shared/spawn_error.ts";
import { createSpool } from "../shared/spool_file.ts";
import { inheritedInput, type StandardInput } from "../shared/standard_input.ts";
import { findUser } from "../shared/user_list.ts";
import { files } from "./files.ts";

/** The part of `Bun` that is used here. */
interface BunSpawn {
  spawn(command: readonly string[], options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly stdin: number | "pipe" | null;
    readonly stdout: "pipe";
    readonly stderr: "pipe";
    readonly detached: boolean;
    readonly uid?: number;
    readonly gid?: number;
    onExit(
      child: BunChild,
      code: number | null,
      signal: number | string | null,
    ): void;
  }): BunChild;
}

interface BunChild {
  readonly pid: number;
  readonly stdin: FileSink | number | null | undefined;
  readonly stdout: ReadableStream<Bytes>;
  readonly stderr: ReadableStream<Bytes>;
  readonly signalCode: string | null;
}

interface FileSink {
  write(chunk: Uint8Array): unknown;
  flush(): unknown;
  end(): unknown;
}

const bun = (globalThis as unknown as { readonly Bun: BunSpawn }).Bun;

/** Programs on Bun. */
export const processes: ProcessHost = {
  spawn: createLaunching({
    spawn: start,
    kill: process.kill,
    explain: (error, command) => spawnError(error, command, files),
    isAllowed: () => true,
  }),
  spool: () => createSpool(os().tmpdir()),
  get user() {
    const uid = process.geteuid?.();
    const gid = process.getegid?.();
    return uid === undefined || gid === undefined ? null : { uid, gid };
  },
  findUser: (name) =>
    findUser(name, (path) => calledBack<string>((callback) => readFile(path, "utf8", callback))),
  environment: (name) => process.env[name],
  get processors() {
    return os().availableParallelism();
  },
};

async function start(command: Command): Promise<ChildProcess> {
  const input = await inheritedInput(command, os().tmpdir());
  try {
    const child = spawned(command, input);
    input.inherited();
    return child;
  } catch (error) {
    input.refused();
    throw await spawnError(error, command, files);
  }
}

function spawned(command: Command, input: StandardInput): ChildProcess {
  const { descriptor, source } = input;
  const { uid, gid } = command.user ?? {};
  let ended = (_status: ExitStatus) => {};
  const exited = new Promise<ExitStatus>((resolve) => ended = resolve);
  const child = bun.spawn([command.program, ...command.args], {
    cwd: command.cwd,
    env: command.env,
    stdin: descriptor ?? (source === null ? null : "pipe"),
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    onExit(child, code, signal) {
      group.ended();
      ended(statusOf(child, code, signal));
    },
  });
  const group = processGroup(child.pid, process.kill);
  if (source !== null && typeof child.stdin === "object" && child.stdin !== null) {
    feed(source(), pipeInput(child.stdin), exited);
  }
  return {
    pid: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    stop: group.stop,
  };
}

function statusOf(
  child: BunChild,
  code: number | null,
  signal: number | string | null,
): ExitStatus {
  const name = child.signalCode ?? signal;
  if (name === null || name === 0) return { code, signal: null };
  return { code: null, signal: typeof name === "string" ? name : `SIG${name}` };
}

function pipeInput(sink: FileSink): PipeInput {
  return {
    async write(chunk) {
      // Either of the two may be what waits, or what fails.
      await sink.write(chunk);
      await sink.flush();
    },
    close: () => sink.end(),
    abort: () => sink.end(),
  };
}
