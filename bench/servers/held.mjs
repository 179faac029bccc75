/**
 * How long the start of a script holds the event loop: `held.mjs ADAPTER SCRIPT STARTS` prints, in microseconds, the
 * longest turn of the loop in each of so many starts, one after another; and of as many stretches of 2 ms without one.
 */

import { performance } from "node:perf_hooks";
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const [adapter, script, starts] = process.argv.slice(2);
const { runtime } = await import(pathToFileURL(adapter).href);
const { processes } = runtime;
const command = { program: script, args: [], env: { PATH: "/bin" }, cwd: "/", stdin: null, user: null };

/** The longest turn of the loop until it is over. */
async function longestTurn(begin) {
  let last = performance.now();
  let longest = 0;
  let over = false;
  begin().then(() => over = true);
  while (!over) {
    await turn();
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return Math.round(longest * 1000);
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
for (let warm = 0; warm < 200; warm++) await run();
for (let start = 0; start < Number(starts); start++) {
  result.starts.push(await longestTurn(run));
  result.nothing.push(await longestTurn(nothing));
}
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
