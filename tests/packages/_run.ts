/**
 * Programs with nothing of the developer's own settings: what a new user has.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import process from "node:process";

/** Where a program runs, and with which variables besides the few that every program has. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The runtimes and the compiler that this repository's `npm install` has brought. */
export const programs: Readonly<Record<"deno" | "bun" | "tsc", string>> = {
  deno: resolve("node_modules/.bin/deno"),
  bun: resolve("node_modules/.bin/bun"),
  tsc: resolve("node_modules/.bin/tsc"),
};

/** Runs a program to its end; rejects with all that it printed when that is not success. */
export function run(
  program: string,
  args: readonly string[],
  { cwd = ".", env = {} }: RunOptions = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return new Promise((succeed, fail) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...inherited(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => stdout += text);
    child.stderr.setEncoding("utf8").on("data", (text) => stderr += text);
    child.once("error", fail);
    child.once("close", (code, signal) => {
      if (code === 0) succeed({ stdout, stderr });
      else fail(new Error(`${program} ${args.join(" ")}: ended with ${code ?? signal}\n${stdout}${stderr}`));
    });
  });
}

function inherited(): Record<string, string> {
  const names = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "NODE_EXTRA_CA_CERTS",
  ];
  return {
    ...Object.fromEntries(
      names.flatMap((name) => process.env[name] === undefined ? [] : [[name, process.env[name]]]),
    ),
    NO_COLOR: "1",
  };
}
