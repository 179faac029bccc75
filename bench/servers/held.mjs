/**
 * How long a script that is started holds the event loop: `held.mjs MODULE ADAPTER DIRECTORY SECONDS LOAD...` prints
 *
 * - how long each of 2,000 calls took that start a program, one after another, in microseconds;
 * - how many turns of the event loop took so many hundredths of a millisecond while a folder was served and LOAD ran, to
 *   which the port and the path of a script are added; for how long that was, and how many requests; and the same for a
 *   time when nothing was asked for. The loop turns all the time then, so that each turn is seen. What that takes itself,
 *   garbage and a host that takes the processor away are in both kinds of time: what there is more of belongs to requests.
 *
 * All without what the thread waited for a processor, which the kernel counts exactly.
 */

import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { openSync, readSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setImmediate } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const [module, adapter, directory, seconds, program, ...words] = process.argv.slice(2);
const { serve, site } = await import(pathToFileURL(module).href);
const { runtime: { processes } } = await import(pathToFileURL(adapter).href);
const server = await serve({ port: 0, handler: site({ directory, cgi: true, log() {} }), log() {} });
const ROUNDS = 5;
const CALLS = 2000;

/** Hundredths of a millisecond: those that took as long or longer are counted together. */
const MOST = 500;

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

/** Starts the script, waits for its end, and returns how long the call took. */
async function call() {
  const waitedBefore = waited();
  const began = performance.now();
  const starting = processes.spawn({
    program: join(directory, "cgi-bin/hello"),
    args: [],
    env: { PATH: "/bin" },
    cwd: directory,
    stdin: null,
    user: null,
  });
  const took = performance.now() - began - (waited() - waitedBefore);
  const { stdout, stderr, exited } = await starting;
  for (const stream of [stdout, stderr]) for await (const piece of stream) void piece;
  await exited;
  return took;
}

// Nothing is made in a turn: that would be collected in another one.
let counts = null;
let last = 0;
let lastWaited = 0;

function turn() {
  const now = performance.now();
  const nowWaited = waited();
  const ran = Math.floor((now - last - (nowWaited - lastWaited)) * 100);
  if (counts !== null) counts[ran < 0 ? 0 : ran < MOST ? ran : MOST] += 1;
  last = now;
  lastWaited = nowWaited;
  setImmediate(turn);
}

/** Counts turns in `into` meanwhile; returns how long that was, in milliseconds. */
async function counting(into, doing) {
  const began = last = performance.now();
  lastWaited = waited();
  counts = into;
  await doing;
  counts = null;
  return performance.now() - began;
}

async function load() {
  const { stdout } = await promisify(execFile)(program, [
    ...words,
    `-d${seconds}`,
    new URL(server.url).port,
    "/cgi-bin/hello",
  ]);
  const { requests, errors } = JSON.parse(stdout);
  if (errors > 0) throw new Error(`${errors} of ${requests} answers were wrong`);
  return requests;
}

// Code that runs once for each start takes thousands of them to be compiled.
for (let start = 0; start < 3000; start++) await call();
const calls = [];
for (let start = 0; start < CALLS; start++) calls.push(Math.round(await call() * 1000));
for (let second = 0; second < 6; second += Number(seconds)) await load();
turn();
await load();
const sum = {
  requests: 0,
  busyMs: 0,
  busy: new Uint32Array(MOST + 1),
  idleMs: 0,
  idle: new Uint32Array(MOST + 1),
};
for (let round = 0; round < ROUNDS; round++) {
  const loading = load();
  sum.busyMs += await counting(sum.busy, loading);
  sum.requests += await loading;
  sum.idleMs += await counting(sum.idle, sleep(seconds * 1000));
}
process.stdout.write(`${JSON.stringify({ calls, ...sum, busy: [...sum.busy], idle: [...sum.idle] })}\n`);
process.exit(0);
