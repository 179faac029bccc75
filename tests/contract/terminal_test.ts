/** What `Terminal` owes: text arrives whole and in order, and nobody waits for its reader. */

import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { runModule, runtime } from "../_runtime.ts";

// The compiled tests have another extension.
const extension = /\.[a-z]+$/.exec(import.meta.url)?.[0] ?? ".ts";
const program = new URL(`./_terminal_program${extension}`, import.meta.url);

function start(args: readonly string[], permissions?: readonly string[]): ChildProcessWithoutNullStreams {
  const [command = "", ...words] = runModule(program, args, permissions);
  return spawn(command, words);
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (bytes: Uint8Array) => stdout += new TextDecoder().decode(bytes));
  child.stderr.on("data", (bytes: Uint8Array) => stderr += new TextDecoder().decode(bytes));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { stdout, stderr, code };
}

/** The first line of its standard output. */
function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  let text = "";
  return new Promise((resolve) => {
    child.stdout.on("data", (bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
      if (text.includes("\n")) resolve(text.split("\n", 1)[0]!);
    });
  });
}

test("args, pid, cwd() and isTerminal say how the program was started, exit() ends it with a status", async () => {
  const child = start(["facts", "--two", "three four"]);
  const { stdout, stderr, code } = await ended(child);
  assert.deepEqual(JSON.parse(stdout), {
    args: ["facts", "--two", "three four"],
    pid: child.pid,
    cwd: process.cwd(),
    isTerminal: { stdout: false, stderr: false },
  });
  assert.equal(stderr, "");
  assert.equal(code, 3);
});

test("a terminal needs none of Deno's permissions but to be loaded", {
  skip: runtime.name !== "deno" && "permissions are Deno's",
}, async () => {
  const { stdout, code, stderr } = await ended(start(["facts"], ["--allow-read"]));
  assert.equal(code, 3, stderr);
  assert.equal(JSON.parse(stdout).cwd, process.cwd());
});

function hasScript(): boolean {
  try {
    execFileSync("script", ["--version"], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

test("isTerminal is true at a terminal", {
  skip: !hasScript() && "script(1) is not installed",
}, () => {
  const command = runModule(program, ["facts"]).map((word) => `'${word}'`).join(" ");
  const shown = execFileSync("script", ["-qc", `${command}; true`, "/dev/null"], { encoding: "utf8" });
  const { isTerminal } = JSON.parse(/\{.*\}/.exec(shown)![0]);
  assert.deepEqual(isTerminal, { stdout: true, stderr: true });
});

test("isTerminal is false where nothing is read or kept, and for a device that is no terminal", {
  skip: process.platform === "win32" && "Windows has no such devices",
}, () => {
  const [command = "", ...words] = runModule(program, ["facts"]);
  const zeros = openSync("/dev/zero", "w");
  try {
    const { stdout } = spawnSync(command, words, { encoding: "utf8", stdio: ["ignore", "pipe", zeros] });
    assert.deepEqual(JSON.parse(stdout).isTerminal, { stdout: false, stderr: false });
  } finally {
    closeSync(zeros);
  }
});

test("stderr() keeps the order, and exit() waits for all of it", async () => {
  const { stderr, code } = await ended(start(["lines"]));
  const lines = stderr.split("\n");
  assert.equal(lines.length, 20_001);
  lines.slice(0, -1).forEach((line, index) => assert.equal(line, `line ${index}`));
  assert.equal(code, 0);
});

test("stderr() does not wait for a reader who is asleep, and says what it dropped", async () => {
  const child = start(["flood"]);
  const { slowest, grown } = JSON.parse(await firstLine(child));
  // A reader who is waited for would have been waited for until now: seconds.
  assert.ok(slowest < 500, `the event loop stood still for ${slowest} ms`);
  assert.ok(grown < 64 << 20, `${grown} bytes for 100 MB of lines that nobody read`);
  const end = ended(child);
  await new Promise((resolve) => child.stderr.once("data", resolve));
  // What waits is read first: then there is room for a last line.
  setTimeout(() => child.stdin.end("go\n"), 300);
  const { stderr, code } = await end;
  assert.equal(code, 0);
  const notes = [
    ...stderr.matchAll(/^(\d+) lines are missing\n/gm),
  ];
  const numbers = [...stderr.matchAll(/^ *(\d+) x{992}$/gm)].map(([, number]) => Number(number));
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
  const left = notes.reduce((sum, [, lines]) => sum + Number(lines), 0);
  assert.equal(numbers.length + left, 100_000);
  assert.ok(left > 90_000);
  assert.match(stderr, /\nthe last line\n$/);
});

test("stdout() and stderr() ignore a reader who has left", async () => {
  const child = start(["chatter"]);
  child.stdout.destroy();
  child.stderr.destroy();
  const code = await new Promise((resolve) => child.on("exit", resolve));
  assert.equal(code, 0);
});

test("onStop() calls back on SIGINT and SIGTERM, each time", {
  skip: process.platform === "win32" && "Windows has no signals",
}, async () => {
  const child = start(["signals"]);
  const end = ended(child);
  assert.equal(await firstLine(child), "ready");
  for (const signal of ["SIGINT", "SIGTERM", "SIGINT"] as const) {
    const heard = new Promise((resolve) => child.stdout.once("data", resolve));
    process.kill(child.pid!, signal);
    await heard;
  }
  const { stdout, code } = await end;
  assert.equal(stdout, "ready\nSIGINT\nSIGTERM\nSIGINT\n");
  assert.equal(code, 0);
});

test("stderr() gets through although the program falls over right after", async () => {
  const { stderr, code } = await ended(start(["crash"]));
  assert.match(stderr, /before the crash/);
  assert.match(stderr, /the crash/);
  assert.notEqual(code, 0);
});
