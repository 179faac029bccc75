/**
 * Runs the programs that the tests are about, and those that talk to them.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** How a program ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with what a program runs. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Variables besides PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end. Rejects when it cannot be started. */
export function command(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { PATH: process.env["PATH"], ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => out.stdout += text);
    child.stderr.setEncoding("utf8").on("data", (text) => out.stderr += text);
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...out }));
  });
}

/** Runs a program that must succeed, and returns what it printed. */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await command(program, args, options);
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${stderr}${stdout}`);
  }
  return stdout.trim();
}

/** Why tests that need a program cannot run here, or `false` when they can: for `skip`. */
export async function missingProgram(
  program: string,
  ...args: readonly string[]
): Promise<string | false> {
  try {
    await mustRun(program, args);
    return false;
  } catch {
    return `${program} is not installed here`;
  }
}

/** An empty folder, and its removal. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "htbin-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
