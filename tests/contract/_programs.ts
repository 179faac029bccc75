/**
 * Programs for the contract tests: scripts, FIFOs, and this runtime under other conditions.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { runModule } from "../_runtime.ts";

/** What a probe met. */
export type Met = Readonly<Record<string, unknown>>;

/** Makes a FIFO. */
export async function makeFifo(path: string): Promise<void> {
  await promisify(execFile)("mkfifo", [path]);
}

/** Makes files with what `/bin/sh` prints to be their names. */
export async function makeFiles(directory: string, names: string): Promise<void> {
  await promisify(execFile)("/bin/sh", ["-c", `${names} | xargs -0 touch`], {
    cwd: directory,
  });
}

/** Writes an executable file. */
export async function writeProgram(
  directory: string,
  name: string,
  content: string | Uint8Array,
  mode = 0o755,
): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

/** Runs one of `_probe.ts`, after the words of `wrapper`. */
export async function probe(
  wrapper: readonly string[],
  name: string,
  argument: string,
  permissions?: readonly string[],
): Promise<Met> {
  const [program = "", ...args] = [...wrapper, ...probeCommand(name, argument, permissions)];
  const { stdout } = await promisify(execFile)(program, args);
  const met: unknown = JSON.parse(stdout);
  return typeof met === "object" && met !== null ? { ...met } : { met };
}

/** The command that runs one of `_probe.ts`. */
export function probeCommand(
  name: string,
  argument: string,
  permissions?: readonly string[],
): readonly string[] {
  // The compiled tests have another extension.
  const extension = /\.[a-z]+$/.exec(import.meta.url)?.[0] ?? ".ts";
  const url = new URL(`./_probe${extension}`, import.meta.url);
  return runModule(url, [name, argument], permissions);
}
