/**
 * Programs on Deno.
 *
 * @module
 */

import {
  type ChildProcess,
  type Command,
  type ExitStatus,
  type ProcessHost,
  SpawnError,
  type SpoolFile,
} from "../../src/runtime.ts";
import { feed, type PipeInput } from "../shared/feed.ts";
import { createLaunching } from "../shared/launcher/launching.ts";
import { type ProcessGroup, processGroup } from "../shared/process_group.ts";
import { spawnError } from "../shared/spawn_error.ts";
import { createSpool } from "../shared/spool_file.ts";
import { fedInput } from "../shared/standard_input.ts";
import { findUser } from "../shared/user_list.ts";
import { hasLibrary, writeParts } from "./c_library.ts";
import { files } from "./files.ts";
import { launchOf } from "./launch.ts";
import { demandFileAccess, isAllGranted, isGranted } from "./permissions.ts";
import { currentUser, namedUser } from "./user.ts";

/** Programs on Deno. */
export const processes: ProcessHost = {
  spawn: createLaunching({
    spawn: start,
    // Its types do not know of 0, which only asks.
    kill: (pid, signal) => Deno.kill(pid, signal as Deno.Signal),
    write: writeParts,
    explain: (error, command) => spawnError(error, command, files),
    isAllowed: () => isAllGranted() && hasLibrary(),
  }),
  spool,
  get user() {
    return currentUser();
  },
  // deno-lint-ignore require-await
  findUser: async (name) =>
    isGranted({ name: "read", path: "/etc/passwd" }) ? findUser(name, Deno.readTextFile) : namedUser(name),
  environment,
  processors: navigator.hardwareConcurrency,
};

function environment(name: string): string | undefined {
  // This one Deno tells without a permission.
  if (name === "NO_COLOR" && Deno.noColor) return "1";
  return isGranted({ name: "env", variable: name }) ? Deno.env.get(name) : undefined;
}

async function spool(): Promise<SpoolFile> {
  const directory = temporaryDirectory();
  demandFileAccess("write", "make a temporary file in", directory);
  demandFileAccess("read", "make a temporary file in", directory);
  return await createSpool(directory);
}

function temporaryDirectory(): string {
  for (const name of ["TMPDIR", "TMP", "TEMP"]) {
    const value = environment(name);
    if (value !== undefined && value !== "") return value;
  }
  return Deno.build.os === "windows" ? "C:\\Windows\\Temp" : "/tmp";
}

async function start(command: Command): Promise<ChildProcess> {
  demandPermission(command);
  const input = fedInput(command);
  try {
    const child = spawned(command, input.source !== null);
    return started(child, input.source);
  } catch (error) {
    throw await spawnError(error, command, files);
  }
}

function demandPermission({ program }: Command): void {
  if (isGranted({ name: "run", command: program })) return;
  throw new SpawnError(
    "denied",
    `Cannot start ${program}: Deno was not started with --allow-run for it`,
  );
}

function spawned(command: Command, fed: boolean): Deno.ChildProcess {
  const [program, options] = launchOf(command);
  return new Deno.Command(program, {
    ...options,
    cwd: command.cwd,
    env: { ...command.env },
    clearEnv: true,
    stdin: fed ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function started(
  child: Deno.ChildProcess,
  source: (() => ReadableStream<Uint8Array>) | null,
): ChildProcess {
  const group = groupOf(child);
  const exited = statusOf(child).then((status) => {
    group.ended();
    return status;
  });
  if (source !== null) feed(source(), pipeInput(child.stdin), exited);
  return {
    pid: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    stop: group.stop,
  };
}

function groupOf(child: Deno.ChildProcess): ProcessGroup {
  return processGroup(child.pid, (pid, signal) => {
    if (isGranted({ name: "run" })) {
      // Its types do not know of 0, which only asks.
      Deno.kill(pid, signal as Deno.Signal);
    } else if (signal !== 0) {
      // With --allow-run for single programs, Deno signals only what it started itself.
      child.kill(signal);
    }
  });
}

async function statusOf(child: Deno.ChildProcess): Promise<ExitStatus> {
  try {
    const { code, signal } = await child.status;
    return signal === null ? { code, signal } : { code: null, signal };
  } catch (error) {
    // Deno has no names for the real-time signals: "Invalid signal: 40".
    const number = /\d+/.exec(String(error))?.[0] ?? "UNKNOWN";
    return { code: null, signal: `SIG${number}` };
  }
}

function pipeInput(pipe: WritableStream<Uint8Array>): PipeInput {
  const writer = pipe.getWriter();
  // Told to whoever writes.
  writer.closed.catch(() => {});
  return {
    write: (chunk) => writer.write(chunk),
    close: () => writer.close(),
    abort: () => writer.abort(),
  };
}
