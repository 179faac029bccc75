/**
 * How long the start of a script holds the event loop: `held.mjs ADAPTER SCRIPT STARTS` prints, in microseconds, the
 * longest turn of the loop in each of so many starts, one after another, the turn in which it is ordered and the one in which it ends; and the
 * longest turn of a stretch without a start after each, as long as that start was. Of each, without the time that the
 * thread waited for a processor, which the kernel counts exactly.
 *
 * The loop turns all the time, so that each turn is seen. What that itself takes, collections of garbage and a host that
 * takes the processor away are in both kinds alike: what starts have more of is theirs.
 */

import { Buffer } from "node:buffer";
import { openSync, readSync } from "node:fs";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setImmediate } from "node:timers";
import { pathToFileURL } from "node:url";

const [adapter, script, count] = process.argv.slice(2);
const STARTS = Number(count);
const { runtime } = await import(pathToFileURL(adapter).href);
const { processes } = runtime;
const command = { program: script, args: [], env: { PATH: "/bin" }, cwd: "/", stdin: null, user: null };

const schedule = openSync("/proc/self/schedstat");
const line = Buffer.alloc(100);

/** Milliseconds that the main thread was ready and did not run: the second number, read without a string. */
function waited() {
  const length = readSync(schedule, line, 0, line.length, 0);
  let at = line.indexOf(32) + 1;
  let nanoseconds = 0;
  for (; at < length && line[at] !== 32; at++) nanoseconds = nanoseconds * 10 + line[at] - 48;
  return nanoseconds / 1e6;
}

/** The stretch that goes on. Nothing is made in a turn: that would be collected in another one. */
let last = 0;
let lastWaited = 0;
let end = 0;
let isOver = false;
let turns = 0;
let first = 0;
let longest = 0;
let latest = 0;
let resolve = () => {};

function step() {
  const now = performance.now();
  const nowWaited = waited();
  const ran = now - last - (nowWaited - lastWaited);
  if (turns++ === 0) first = ran;
  latest = ran;
  if (ran > longest) longest = ran;
  last = now;
  lastWaited = nowWaited;
  if (isOver || now >= end) resolve();
  else setImmediate(step);
}

/** Goes on until `begin` is done, or so many milliseconds are over. */
function stretch(begin, milliseconds) {
  return new Promise((done) => {
    resolve = done;
    isOver = false;
    turns = longest = 0;
    lastWaited = waited();
    last = performance.now();
    end = last + milliseconds;
    begin?.().then(() => isOver = true);
    setImmediate(step);
  });
}

async function run() {
  const child = await processes.spawn(command);
  const read = async (stream) => {
    for await (const piece of stream) void piece;
  };
  await Promise.all([read(child.stdout), read(child.stderr), child.exited]);
}

const samples = {
  ordered: new Float64Array(STARTS),
  ended: new Float64Array(STARTS),
  starts: new Float64Array(STARTS),
  nothing: new Float64Array(STARTS),
};
// Code that runs once for each start takes thousands of them to be compiled.
for (let start = 0; start < 3000; start++) await run();
for (let start = 0; start < STARTS; start++) {
  const began = performance.now();
  await stretch(run, Infinity);
  samples.starts[start] = longest * 1000;
  samples.ordered[start] = first * 1000;
  samples.ended[start] = latest * 1000;
  await stretch(null, performance.now() - began);
  samples.nothing[start] = longest * 1000;
}
const result = Object.fromEntries(
  Object.entries(samples).map(([kind, all]) => [kind, [...all.map(Math.round)]]),
);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
