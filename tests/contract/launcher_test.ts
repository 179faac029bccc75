/**
 * What the launcher owes beyond what every way to start programs does.
 *
 * @module
 */

import assert from "node:assert/strict";
import { execFile, spawn as spawnProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { finishedRun } from "../../src/finished_run.ts";
import { randomNumbers } from "../_random.ts";
import { isRoot, nobody, runtime, temporaryDirectory, textOf, until } from "../_runtime.ts";
import {
  awaitText,
  discard,
  encode,
  isAlive,
  needsLauncher,
  outputOf,
  PATH,
  pattern,
  settled,
  sh,
  spawn,
  statFields,
  streamOf,
  untilLaunched,
} from "./_processes.ts";
import { probeCommand, writeProgram } from "./_programs.ts";

const skip = needsLauncher;

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

/** Characters of one to four bytes, and those that mean something to some program. */
function randomText(random: () => number, longest: number): string {
  const special = "'\"\\$`;&|<>(){}[]*?!#~=% \t\n\r\x01\x7f\x80\x81\x82\x88\xa0\xff";
  let text = "";
  for (let left = Math.floor(random() * longest); left > 0; left--) {
    const kind = random();
    if (kind < 0.4) text += special[Math.floor(random() * special.length)];
    else if (kind < 0.7) text += String.fromCharCode(1 + Math.floor(random() * 0xff));
    else {text += String.fromCodePoint(
        0xe000 + Math.floor(random() * 0x2000),
        0x1f300 + Math.floor(random() * 99),
      );}
  }
  return text;
}

test("whatever names, values, arguments and paths hold arrives, and nothing else", { skip }, async (t) => {
  const random = randomNumbers(1);
  const directory = await temporaryDirectory(t);
  const launcher = await untilLaunched();
  const script = '#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ; printf "%s\\0" "$PPID"; pwd\n';
  for (let round = 0; round < 60; round++) {
    const folder = join(directory, `d${randomText(random, 12).replaceAll("/", "")}`);
    await mkdir(folder, { recursive: true });
    const program = await writeProgram(folder, `p${randomText(random, 12).replaceAll("/", "")}`, script);
    const args = Array.from({ length: Math.floor(random() * 5) }, () => randomText(random, 40));
    const env: Record<string, string> = { PATH };
    for (let count = random() * 8; count > 0; count--) {
      env[`n${randomText(random, 10).replaceAll("=", "")}`] = randomText(random, 60);
    }
    const output = await outputOf(await spawn({ program, args, env, cwd: folder, stdin: null, user: null }));
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const words = ["/bin/sh", program, ...args, ...variables, `${launcher}`, `${folder}\n`];
    assert.equal(output, words.join("\0"));
  }
});

test("what a quick program writes is all there at its end, however long it is", { skip }, async (t) => {
  const random = randomNumbers(2);
  const directory = await temporaryDirectory(t);
  await untilLaunched();
  const file = async (length: number) => {
    const path = join(directory, `${length}`);
    const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256));
    await writeFile(path, bytes);
    return { path, bytes };
  };
  const files = await Promise.all([0, 1, 16_383, 16_384, 16_385, 65_536].map(file));
  for (const out of files) {
    for (const err of files) {
      const child = await sh("", { args: ["-c", 'cat "$0"; cat "$1" >&2', out.path, err.path] });
      const [output, errors, end] = await Promise.all([
        bytesOf(child.stdout),
        bytesOf(child.stderr),
        child.exited,
      ]);
      assert.deepEqual([output, errors], [out.bytes, err.bytes], `${out.bytes.length}, ${err.bytes.length}`);
      assert.equal(end.code, 0);
    }
  }
});

test("two programs at a time never see each other's output", { skip }, async () => {
  await untilLaunched();
  const one = async (index: number) => {
    const script = index % 3 === 0 ? "sleep 0.02; " : "";
    const child = await sh(`${script}cat; printf "e%s" "$0" >&2; exit $0`, {
      args: ["-c", `${script}cat; printf "e%s" "$0" >&2; exit $0`, `${index % 100}`],
      stdin: encode(`${index}`.repeat(index)),
    });
    const [output, errors, end] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      child.exited,
    ]);
    assert.equal(output, `${index}`.repeat(index));
    assert.equal(errors, `e${index % 100}`);
    assert.equal(end.code, index % 100);
  };
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 200 }, (_, index) => one(index)));
  }
});

test("what is left of a program holds neither the output nor the input of the next", { skip }, async () => {
  await untilLaunched();
  const left: { stop(signal: "KILL"): boolean }[] = [];
  for (let round = 0; round < 40; round++) {
    // One that keeps the output, one that keeps the input alone.
    const script = round % 2 === 0
      ? "(read line </dev/null; sleep 60; echo late) & echo own"
      : "exec 3<&0; (cat <&3 >/dev/null; sleep 60) >/dev/null 2>&1 & cat >/dev/null; echo own";
    const child = await sh(script, { stdin: round % 2 === 0 ? null : encode("body") });
    const reader = child.stdout.getReader();
    assert.equal(await awaitText(reader, "own\n"), "own\n");
    await child.exited;
    await Promise.all([reader.cancel(), child.stderr.cancel()]);
    left.push(child);
    assert.equal(await outputOf(await sh("cat", { stdin: encode(`next ${round}`) })), `next ${round}`);
  }
  for (const child of left) assert.equal(child.stop("KILL"), true);
});

test(
  "the more begin together, the longer each has until it is told of as one that runs",
  { skip },
  async () => {
    await untilLaunched();
    const isToldOfOnce = async (script: string) => {
      const child = await sh(script);
      const isOver = finishedRun(child) !== undefined;
      await discard(child);
      return isOver;
    };
    assert.equal(await isToldOfOnce("sleep 0.3"), false, "alone");
    // A tenth of a second with these. A machine that does other things meanwhile has many attempts.
    const amongOthers = async () => {
      const others = Array.from({ length: 20 }, () => sh("exec sleep 60"));
      const isOnce = await isToldOfOnce("sleep 0.02");
      for (const other of others) {
        const child = await other;
        child.stop("KILL");
        await discard(child);
      }
      return isOnce;
    };
    for (let attempt = 1; !await amongOthers(); attempt++) assert.ok(attempt < 30, "with others");
  },
);

test("programs that run for long, many at a time, hold up nobody", { skip }, async () => {
  await untilLaunched();
  const sleepers = await Promise.all(Array.from({ length: 200 }, () => sh("echo up; exec sleep 60")));
  const readers = sleepers.map((child) => child.stdout.getReader());
  await Promise.all(readers.map((reader) => awaitText(reader, "up\n")));
  assert.equal(await outputOf(await sh("echo meanwhile")), "meanwhile\n");
  for (const child of sleepers) assert.equal(child.stop("KILL"), true);
  await Promise.all(sleepers.map((child) => child.exited));
  for (const reader of readers) assert.equal((await reader.read()).done, true);
  await Promise.all(sleepers.map((child) => child.stderr.cancel()));
});

test("a launcher that dies is replaced, and what it had started ends", { skip }, async () => {
  const launcher = await untilLaunched();
  const child = await sh("echo up; sleep 60");
  const reader = child.stdout.getReader();
  await awaitText(reader, "up\n");
  const parent = Number(statFields(readFileSync(`/proc/${child.pid}/stat`, "utf8"))[2]);
  process.kill(parent, "SIGKILL");
  assert.deepEqual(await child.exited, { code: null, signal: "SIGKILL" });
  assert.equal((await reader.read()).done, true);
  await child.stderr.cancel();
  await until(() => !isAlive(child.pid), "ended");
  assert.equal(await outputOf(await sh("echo on")), "on\n");
  let next = launcher;
  await until(async () => (next = await untilLaunched()) !== parent, "another");
  assert.ok(isAlive(next));
});

test("an idle launcher keeps no process from ending, and ends with it", { skip }, async () => {
  const [program = "", ...args] = probeCommand("launcher", "");
  const { stdout } = await promisify(execFile)(program, args);
  const { launcher } = JSON.parse(stdout);
  assert.ok(launcher > 0);
  await until(() => !isAlive(launcher), "ended");
});

test("when this process is killed nothing of the launcher is left", { skip }, async (t) => {
  const directory = await temporaryDirectory(t);
  const [program = "", ...args] = probeCommand("launcher", "stay");
  const child = spawnProcess(program, args, {
    env: { ...process.env, TMPDIR: directory },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (data) => said += data);
  await until(() => said.includes("}"), "launched");
  const { launcher, sleeper } = JSON.parse(said);
  assert.ok(isAlive(launcher) && isAlive(sleeper));
  assert.deepEqual(readdirSync(directory).filter((name) => !name.startsWith("deno")), []);
  child.kill("SIGKILL");
  await until(() => !isAlive(launcher), "ended");
  process.kill(-sleeper, "SIGKILL");
  assert.deepEqual(readdirSync(directory).filter((name) => !name.startsWith("deno")), []);
});

test(
  "programs with input are started by it too, whatever that is and whoever they are",
  { skip },
  async () => {
    const long = new Uint8Array(100_000).fill(97);
    for (const user of isRoot ? [null, nobody] : [null]) {
      const launcher = await untilLaunched(user);
      const spool = await runtime.processes.spool();
      await spool.write(long);
      for (const stdin of [encode("short"), long, streamOf("bit by bit"), spool]) {
        const length = stdin === spool || stdin === long ? long.length : stdin instanceof Uint8Array ? 5 : 10;
        const output = await outputOf(await sh("wc -c; echo $PPID; id -u", { stdin, user }));
        assert.equal(output, `${length}\n${launcher}\n${user?.uid ?? process.geteuid?.()}\n`);
      }
    }
  },
);

test("input comes through at any pace, and the next program finds none of it", { skip }, async () => {
  await untilLaunched();
  const random = randomNumbers(2);
  const whole = pattern(3_000_001);
  for (const reader of ["cat", "dd bs=100 count=2000; sleep 0.05; cat", "sleep 0.03; dd bs=4096"]) {
    let at = 0;
    const stdin = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(whole.subarray(at, at += 1 + Math.floor(random() * 400_000)));
        if (at >= whole.length) controller.close();
      },
    }, { highWaterMark: 0 });
    const child = await sh(`exec 2>/dev/null; ${reader}`, { stdin });
    const pieces: Uint8Array[] = [];
    for await (const piece of child.stdout) pieces.push(piece);
    assert.ok(Buffer.concat(pieces).equals(whole), reader);
    await child.stderr.cancel();
  }
  // Each leaves most of its input in the pipe.
  for (let round = 0; round < 40; round++) {
    assert.equal(await outputOf(await sh("head -c 3", { stdin: streamOf("abc".repeat(50_000)) })), "abc");
    assert.equal(await outputOf(await sh("cat", { stdin: streamOf(`next ${round}`) })), `next ${round}`);
  }
});

test("what is left of a program can neither read nor write the input of the next", { skip }, async () => {
  await untilLaunched();
  const left: { stop(signal: "KILL"): boolean }[] = [];
  const scripts = [
    "exec 3<&0; (cat <&3 >/dev/null; sleep 60) >/dev/null 2>&1 & echo own",
    // Where no launcher has slots left, its input is a socket, which no program can open once more.
    "command exec 3>/dev/stdin; (while echo poison >&3; do sleep 0.01; done; sleep 60) >/dev/null 2>&1 & echo own",
  ];
  for (let round = 0; round < 8; round++) {
    const child = await sh(scripts[round % 2]!, { stdin: streamOf("body") });
    const reader = child.stdout.getReader();
    assert.equal(await awaitText(reader, "own\n"), "own\n");
    await child.exited;
    await Promise.all([reader.cancel(), child.stderr.cancel()]);
    left.push(child);
    assert.equal(await outputOf(await sh("cat", { stdin: streamOf(`next ${round}`) })), `next ${round}`);
  }
  for (const child of left) assert.equal(child.stop("KILL"), true);
});

test("a program that stops reading costs nothing while it does", { skip }, async () => {
  const launcher = await untilLaunched();
  const spent = () => {
    const fields = statFields(readFileSync(`/proc/${launcher}/stat`, "utf8"));
    return Number(fields[12]) + Number(fields[13]);
  };
  let taken = 0;
  const stdin = new ReadableStream<Uint8Array>({
    pull(controller) {
      taken += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    },
  }, { highWaterMark: 0 });
  const child = await sh("head -c 5000 >/dev/null; echo read; exec sleep 60", { stdin });
  const reader = child.stdout.getReader();
  await awaitText(reader, "read\n");
  await settled(() => taken);
  const before = spent();
  await settled(() => taken);
  assert.ok(spent() - before <= 1, `${spent() - before} ticks`);
  assert.equal(child.stop("KILL"), true);
  await Promise.all([child.exited, reader.cancel(), child.stderr.cancel()]);
});

test("output that nobody wants any more costs a launcher at most", { skip }, async () => {
  await untilLaunched();
  for (let round = 0; round < 80; round++) {
    const child = await sh("exec cat /dev/zero");
    const reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    const { code, signal } = await child.exited;
    // While a launcher is being replaced, Node starts it with a socket, which is reset.
    assert.ok(signal === "SIGPIPE" || code === 1, `${code} ${signal}`);
    await child.stderr.cancel();
  }
  await untilLaunched();
  await discard(await sh("exit 0"));
});
