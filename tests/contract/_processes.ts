/**
 * What the contract tests of processes share: shell scripts of one line, and both ways to start a program.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { test, type TestContext } from "node:test";
import {
  type Bytes,
  type ChildProcess,
  type Command,
  SpawnError,
  type SpawnErrorReason,
  type SpoolFile,
  type UserIdentity,
} from "../../src/runtime.ts";
import { needsProc, runtime, textOf, until } from "../_runtime.ts";

const { processes } = runtime;

/** What the scripts here need to find their commands; no test may rely on more. */
export const PATH = "/usr/local/bin:/usr/bin:/bin";

/** By this process itself, or by its launcher. */
export type Way = "direct" | "launched";

/** A reason to skip a test of the launcher, or `false`. */
export const needsLauncher: string | false = needsProc ||
  (existsSync("/usr/bin/python3") || existsSync("/usr/local/bin/python3") ? false : "there is no Python");

let current: Way = "direct";

/** Declares a test of what holds whichever way programs are started. */
export function contract(
  name: string,
  options: { readonly skip?: string | boolean },
  body: (t: TestContext, way: Way) => Promise<void>,
): void {
  const run = (way: Way) => async (t: TestContext) => {
    current = way;
    if (way === "launched") await untilLaunched();
    await body(t, way);
  };
  test(name, options, run("direct"));
  test(`${name} (launched)`, { skip: options.skip || needsLauncher }, run("launched"));
}

/** Starts a program in the way that is tested. */
export function spawn(command: Command): Promise<ChildProcess> {
  return processes.spawn({ ...command, direct: current === "direct" });
}

/** Starts a shell script of one line. */
export function sh(script: string, rest: Partial<Command> = {}): Promise<ChildProcess> {
  return spawn({
    program: "/bin/sh",
    args: ["-c", script],
    env: { PATH },
    cwd: "/",
    stdin: null,
    user: null,
    ...rest,
  });
}

/** Waits until programs are started by a launcher, and says which process that is. */
export async function untilLaunched(user: UserIdentity | null = null): Promise<number> {
  current = "launched";
  let parent = process.pid;
  await until(async () => {
    parent = Number(await outputOf(await sh("echo $PPID", { user })));
    return parent !== process.pid;
  }, "launched");
  return parent;
}

/** What it wrote to its output, once all is over. */
export async function outputOf(child: ChildProcess): Promise<string> {
  const [output, errors] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  assert.equal(errors, "");
  await child.exited;
  return output;
}

/** Listens to nothing. */
export async function discard(child: ChildProcess): Promise<void> {
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
}

/** Reads until the text is there, and leaves the rest. */
export async function awaitText(
  reader: ReadableStreamDefaultReader<Bytes>,
  text: string,
): Promise<string> {
  const decoder = new TextDecoder();
  let seen = "";
  while (!seen.includes(text)) {
    const { done, value } = await reader.read();
    assert.ok(!done, `"${seen}" ended before "${text}"`);
    seen += decoder.decode(value, { stream: true });
  }
  return seen;
}

/** Whether an error is a `SpawnError` with this reason that says this. */
export function isReason(reason: SpawnErrorReason, text = ""): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SpawnError, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.ok(error.message.includes(text), error.message);
    return true;
  };
}

/** The fields of proc_pid_stat(5); the first two as one. */
export function statFields(line: string): string[] {
  const end = line.lastIndexOf(")");
  return [line.slice(0, end), ...line.slice(end + 2).split(" ")];
}

/** Whether the process is there and has not ended. */
export function isAlive(pid: number): boolean {
  try {
    // Whoever inherits it may take a moment to notice its end.
    return statFields(readFileSync(`/proc/${pid}/stat`, "utf8"))[1] !== "Z";
  } catch {
    return false;
  }
}

const utf8 = new TextEncoder();

/** Text as bytes. */
export function encode(text: string): Bytes {
  return new Uint8Array(utf8.encode(text));
}

/** A stream of one piece. */
export function streamOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encode(text));
      controller.close();
    },
  });
}

/** Bytes that do not repeat soon. */
export function pattern(length: number): Bytes {
  return new Uint8Array(length).map((_, index) => (index * 31 + (index >> 8)) & 0xff);
}

/** A spool file with this content. */
export async function spooled(content: Uint8Array, pieces = 1): Promise<SpoolFile> {
  const spool = await processes.spool();
  const size = Math.ceil(content.length / pieces);
  for (let start = 0; start < content.length; start += size) {
    await spool.write(content.subarray(start, start + size));
  }
  assert.equal(spool.size, content.length);
  return spool;
}

/** Waits until a count no longer grows. */
export async function settled(count: () => number): Promise<void> {
  let last = -1;
  await until(async () => {
    const same = count() === last;
    last = count();
    await new Promise((resolve) => setTimeout(resolve, 40));
    return same;
  }, "no more");
}
