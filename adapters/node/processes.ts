/**
 * Programs on Node.
 *
 * @module
 */

import type { ChildProcess as NodeChild } from "node:child_process";
import { readFile } from "node:fs";
import type { Writable } from "node:stream";
import type { ChildProcess, Command, ExitStatus, ProcessHost } from "../../src/runtime.ts";
import { calledBack } from "../shared/called_back.ts";
import { feed, type PipeInput } from "../shared/feed.ts";
import { createLaunching } from "../shared/launcher/launching.ts";
import { os } from "../shared/part.ts";
import { process } from "../shared/process.ts";
import { processGroup } from "../shared/process_group.ts";
import { isRunnable } from "../shared/program_format.ts";
import { formatError, spawnError } from "../shared/spawn_error.ts";
import { createSpool } from "../shared/spool_file.ts";
import { inheritedInput, type StandardInput } from "../shared/standard_input.ts";
import { findUser } from "../shared/user_list.ts";
import { files } from "./files.ts";
import { pipeOutput } from "./pipe_output.ts";

/** Programs on Node. */
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
  if (!isRunnable(command.program)) throw formatError(command);
  const input = await inheritedInput(command, os().tmpdir());
  try {
    const child = await spawned(command, input);
    input.inherited();
    return started(child, input);
  } catch (error) {
    input.refused();
    throw await spawnError(error, command, files);
  }
}

async function spawned(command: Command, input: StandardInput): Promise<NodeChild> {
  const { descriptor, source } = input;
  const { uid, gid } = command.user ?? {};
  // Part of Node: no descriptor is needed. Who runs no scripts does without it.
  const { spawn } = await import("node:child_process");
  return await new Promise((resolve, reject) => {
    const child = spawn(command.program, command.args, {
      cwd: command.cwd,
      // Node adds this one while it measures coverage, unless it is there, be it without a value.
      env: { NODE_V8_COVERAGE: undefined, ...command.env },
      stdio: [descriptor ?? (source === null ? "ignore" : "pipe"), "pipe", "pipe"],
      detached: true,
      windowsHide: true,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    child.on("error", (error) => {
      // Out of descriptors, Node does not get as far as to make the pipes.
      const pipes: NodeChild["stdio"] | undefined = child.stdio;
      for (const pipe of pipes ?? []) pipe?.destroy();
      reject(error);
    });
    if (child.pid !== undefined) resolve(child);
  });
}

function started(child: NodeChild, input: StandardInput): ChildProcess {
  const { pid, stdin, stdout, stderr } = child;
  if (pid === undefined || stdout === null || stderr === null) {
    throw new TypeError("Cannot use a process without its pipes");
  }
  const group = processGroup(pid, process.kill);
  // Not "close", which waits for whoever holds the pipes.
  const exited = new Promise<ExitStatus>((resolve) => {
    child.on("exit", (code, signal) => {
      group.ended();
      resolve({ code, signal });
    });
  });
  if (input.source !== null && stdin !== null) {
    feed(input.source(), pipeInput(stdin), exited);
  }
  return {
    pid,
    stdout: pipeOutput(stdout),
    stderr: pipeOutput(stderr),
    exited,
    stop: group.stop,
  };
}

function pipeInput(pipe: Writable): PipeInput {
  // Told to whoever writes; without a listener it would end this process.
  pipe.on("error", () => {});
  return {
    write: (chunk) =>
      new Promise<void>((resolve, reject) => {
        pipe.write(chunk, (error) => error ? reject(error) : resolve());
      }),
    close: () => pipe.end(),
    abort: () => pipe.destroy(),
  };
}
