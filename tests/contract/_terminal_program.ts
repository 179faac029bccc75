/**
 * A program of this runtime that does one thing with its terminal.
 *
 * @module
 */

import process from "node:process";
import { runtime } from "../../adapters/auto.ts";

const { terminal } = runtime;

const programs: Readonly<Record<string, () => Promise<unknown>>> = {
  facts,
  lines,
  flood,
  chatter,
  signals,
  crash,
};

/** What is known about the process. */
async function facts(): Promise<void> {
  const { args, pid, isTerminal } = terminal;
  await terminal.stdout(JSON.stringify({ args, pid, cwd: terminal.cwd(), isTerminal }) + "\n");
  await terminal.exit(3);
}

/** Many lines, one by one, and the end at once. */
async function lines(): Promise<void> {
  for (let line = 0; line < 20_000; line++) terminal.stderr(`line ${line}\n`);
  await terminal.exit(0);
}

/** More than anybody reads: how long did the event loop stand still, and how much memory did it take? */
async function flood(): Promise<void> {
  let slowest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    slowest = Math.max(slowest, now - last);
    last = now;
  }, 5);
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 100; round++) {
    for (let line = 0; line < 1000; line++) {
      const text = `${String(round * 1000 + line).padStart(6)} ${"x".repeat(992)}\n`;
      terminal.stderr(text, (lines) => `${lines} lines are missing\n`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  clearInterval(timer);
  const grown = process.memoryUsage().rss - before;
  await terminal.stdout(JSON.stringify({ slowest, grown }) + "\n");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  terminal.stderr("the last line\n");
  await terminal.exit(0);
}

/** Talks to somebody who has left. */
async function chatter(): Promise<void> {
  for (let round = 0; round < 50; round++) {
    terminal.stderr("x".repeat(10_000) + "\n");
    await terminal.stdout("x".repeat(10_000) + "\n");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await terminal.exit(0);
}

/** Tells of every signal; the third one ends it. */
async function signals(): Promise<void> {
  let seen = 0;
  // A program that serves has something to do.
  const work = setInterval(() => {}, 1000);
  const third = new Promise<void>((resolve) => {
    terminal.onStop((signal) => {
      terminal.stdout(`${signal}\n`);
      if (++seen === 3) resolve();
    });
  });
  await terminal.stdout("ready\n");
  await third;
  clearInterval(work);
  await terminal.exit(0);
}

/** Says something and falls over. */
// deno-lint-ignore require-await
async function crash(): Promise<void> {
  terminal.stderr("before the crash\n");
  setTimeout(() => {
    throw new Error("the crash");
  }, 0);
}

await programs[terminal.args[0]!]!();
