/**
 * How long the start of a script holds the event loop: `held.mjs ADAPTER SCRIPT STARTS` prints, in microseconds, the
 * longest turn of the loop in each of so many starts, one after another; and of as many stretches of 2 ms without one.
 * Of each, also what is left without the time that the thread waited for a processor, which the kernel counts exactly.
 */

import { openSync, readSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { Buffer } from "node:buffer";
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const [adapter, script, starts] = process.argv.slice(2);
const { runtime } = await import(pathToFileURL(adapter).href);
const { processes } = runtime;
const command = { program: script, args: [], env: { PATH: "/bin" }, cwd: "/", stdin: null, user: null };

const schedule = openSync("/proc/self/schedstat");
const line = Buffer.alloc(100);

/** Milliseconds that the main thread was ready and did not run. */
function waited() {
  const length = readSync(schedule, line, 0, line.length, 0);
  return Number(line.latin1Slice(0, length).split(" ")[1]) / 1e6;
}

/** The longest turn of the loop until it is over: all of it, and when it ran. */
async function longestTurn(begin) {
  let last = performance.now();
  let before = waited();
  let all = 0;
  let ran = 0;
  let over = false;
  begin().then(() => over = true);
  while (!over) {
    await turn();
    const now = performance.now();
    const after = waited();
    all = Math.max(all, now - last);
    ran = Math.max(ran, now - last - (after - before));
    last = now;
    before = after;
  }
  return { all: Math.round(all * 1000), ran: Math.round(ran * 1000) };
}

async function run() {
  const child = await processes.spawn(command);
  const read = async (stream) => {
    for await (const piece of stream) void piece;
  };
  await Promise.all([read(child.stdout), read(child.stderr), child.exited]);
}

const nothing = () => new Promise((resolve) => setTimeout(resolve, 2));
const result = { starts: [], nothing: [] };
// Code that runs once for each start takes thousands of them to be compiled.
for (let warm = 0; warm < 3000; warm++) await run();
for (let start = 0; start < Number(starts); start++) {
  result.starts.push(await longestTurn(run));
  result.nothing.push(await longestTurn(nothing));
}
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
