/**
 * What every adapter owes: programs as they are started.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { isKnownFormat } from "../../adapters/shared/program_format.ts";
import { userInList } from "../../adapters/shared/user_list.ts";
import { type Command, SpawnError, type SpawnErrorReason } from "../../src/runtime.ts";
import { descriptors, needsProc, runtime, temporaryDirectory, until } from "../_runtime.ts";
import {
  contract,
  discard,
  encode,
  isReason,
  outputOf,
  sh,
  statFields,
  untilLaunched,
} from "./_processes.ts";
import { makeFifo, writeProgram } from "./_programs.ts";

const { processes, files } = runtime;

contract("the environment is exactly what was given", {}, async (t) => {
  const env = { A: "1", EMPTY: "", "X y": "=z\n2", ÜNI: "cödé 🎉", HTTP_X: "a'b\"c$d`e\\" };
  // What runtimes add of their own accord.
  process.env["NODE_V8_COVERAGE"] = await temporaryDirectory(t);
  t.after(() => delete process.env["NODE_V8_COVERAGE"]);
  const child = await processes.spawn({
    program: "/usr/bin/env",
    args: ["-0"],
    env,
    cwd: "/",
    stdin: null,
    user: null,
  });
  const lines = (await outputOf(child)).split("\0").slice(0, -1).sort();
  assert.deepEqual(lines, Object.entries(env).map(([name, value]) => `${name}=${value}`).sort());
});

contract("arguments and working directory arrive unchanged", {}, async (t) => {
  const directory = join(await temporaryDirectory(t), "a ü\n'b");
  await mkdir(directory);
  const args = ["one two", "", "-x", "$HOME", "*", "ü🎉", "line\nbreak", "'\"\\"];
  const script = 'printf "%s\\0" "$0" "$@"; pwd';
  const child = await sh("", { args: ["-c", script, ...args], cwd: directory });
  assert.equal(await outputOf(child), `${args.join("\0")}\0${directory}\n`);
});

contract("a program that cannot be started: why", {}, async (t) => {
  const directory = await temporaryDirectory(t);
  const write = (name: string, content: string | Uint8Array, mode?: number) =>
    writeProgram(directory, name, content, mode);
  const sound = await write("sound", "#!/bin/sh\n");
  // This machine's own format, for a machine that is none.
  const foreign = new Uint8Array(await readFile("/bin/sh")).slice(0, 4096);
  foreign[18] = 0xfe;
  await mkdir(join(directory, "folder"));
  await makeFifo(join(directory, "fifo"));
  const cases: readonly (readonly [string, SpawnErrorReason, string])[] = [
    [join(directory, "nothing"), "missing", "not there"],
    [`${sound}/below`, "missing", "not there"],
    [await write("no-interpreter", "#!/no/such/thing -x\n"), "missing", "/no/such/thing"],
    [await write("crlf", "#!/bin/sh\r\necho hi\r\n"), "missing", "CR LF"],
    [await write("plain", "#!/bin/sh\n", 0o644), "denied", "chmod +x"],
    [join(directory, "folder"), "denied", "directory"],
    [join(directory, "fifo"), "denied", "regular"],
    [await write("no-mark", "echo run by a shell\n"), "format", "#!"],
    [await write("empty", ""), "format", "#!"],
    [await write("broken", "\x7fELF and no more"), "format", "#!"],
    [await write("foreign", foreign), "format", "machine"],
  ];
  const stdin = new ReadableStream<Uint8Array>();
  for (const [program, reason, text] of cases) {
    const attempt = sh("", { program, args: [], cwd: directory, stdin });
    await assert.rejects(
      attempt,
      (error: unknown) => isReason(reason, text)(error) && String(error).includes(program),
    );
    assert.equal(stdin.locked, false, "what was given stays the caller's");
  }
  for (const cwd of [join(directory, "nothing"), sound]) {
    await assert.rejects(
      sh("", { program: sound, cwd }),
      isReason("failed", `working directory ${cwd}`),
    );
  }
});

contract("what cannot be passed on is refused, not cut off", {}, async () => {
  const bad: Readonly<Record<string, Partial<Command>>> = {
    "NUL in an argument": { args: ["-c", "a\0b"] },
    "NUL in a value": { env: { A: "b\0c" } },
    "NUL in a name": { env: { "A\0B": "c" } },
    "= in a name": { env: { "A=B": "c" } },
    "no name": { env: { "": "c" } },
    "NUL in the program": { program: "/bin/sh\0" },
    "NUL in the directory": { cwd: "/\0" },
    "too much": { args: ["-c", "x".repeat(4_000_000)] },
  };
  for (const [what, part] of Object.entries(bad)) {
    await assert.rejects(sh("exit 0", part), isReason("failed"), what);
  }
  const stdin = new ReadableStream<Uint8Array>();
  stdin.getReader();
  await assert.rejects(sh("exit 0", { stdin }), isReason("failed", "already"));
});

test("formats, by machine", () => {
  const elf = (machine: number, order: number) => {
    const head = new Uint8Array(20);
    head.set([0x7f, 0x45, 0x4c, 0x46, 2, order]);
    new DataView(head.buffer).setUint16(18, machine, order === 1);
    return head;
  };
  assert.equal(isKnownFormat(elf(62, 1), "x64"), true);
  assert.equal(isKnownFormat(elf(3, 1), "x64"), true);
  assert.equal(isKnownFormat(elf(183, 1), "x64"), false);
  assert.equal(isKnownFormat(elf(183, 1), "arm64"), true);
  assert.equal(isKnownFormat(elf(22, 2), "s390x"), true);
  assert.equal(isKnownFormat(elf(7, 1), "a machine of tomorrow"), true);
  assert.equal(isKnownFormat(encode("#!")), true);
  assert.equal(isKnownFormat(encode("<!DOCTYPE html><html>")), false);
});

contract("a process group of its own, which leads a session", { skip: needsProc }, async (_t, way) => {
  const child = await sh("cat /proc/$$/stat");
  const [, , parent, group, session] = statFields(await outputOf(child));
  assert.equal(Number(parent), way === "direct" ? process.pid : await untilLaunched());
  assert.equal(Number(group), child.pid);
  assert.equal(Number(session), child.pid);
});

contract("signals are at their defaults, and none is blocked", { skip: needsProc }, async () => {
  const child = await sh("", { program: "/bin/cat", args: ["/proc/self/status"] });
  const status = await outputOf(child);
  const mask = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)$`, "m").exec(status)?.[1]}`);
  // Those with a name; Deno leaves two ignored that the C library keeps for itself (32, 33).
  const named = (1n << 31n) - 1n;
  const own = BigInt(
    `0x${/^SigIgn:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]}`,
  );
  const pipe = 1n << 12n;
  assert.ok((own & pipe) !== 0n, "this runtime itself ignores SIGPIPE");
  // What the whole test run was started with ignored, such as by nohup, is handed down by Deno.
  assert.equal(mask("SigIgn") & named & ~(own & ~pipe), 0n);
  assert.equal(mask("SigIgn") & pipe, 0n);
  assert.equal(mask("SigBlk") & named, 0n);
});

contract(
  "a program has standard input, output and errors, and none of our files",
  { skip: needsProc },
  async (t) => {
    const path = await writeProgram(await temporaryDirectory(t), "file", "content");
    const list = async () => {
      const child = await sh("", { program: "/bin/ls", args: ["/proc/self/fd"] });
      return (await outputOf(child)).trim().split("\n");
    };
    // What this process was itself started with is not ours to close, and ls has the folder it reads open.
    const before = await list();
    for (const number of ["0", "1", "2"]) assert.ok(before.includes(number), number);
    const file = await files.open(path);
    const spool = await processes.spool();
    await spool.write(encode("spooled"));
    const other = await sh("read line", { stdin: new ReadableStream() });
    const entries = await files.list("/");
    assert.equal((await list()).length, before.length);
    for await (const _ of entries ?? []) break;
    other.stop("KILL");
    await Promise.all([file?.close(), spool.close(), discard(other), other.exited]);
  },
);

contract("a start that fails leaves no descriptor", { skip: needsProc }, async (t) => {
  const directory = await temporaryDirectory(t);
  const attempt = (stdin: Command["stdin"]) =>
    assert.rejects(sh("", { program: join(directory, "nothing"), stdin }), SpawnError);
  await attempt(encode("x"));
  const before = descriptors().length;
  for (let count = 0; count < 10; count++) {
    await attempt(encode("x"));
    await attempt(new ReadableStream());
    await attempt(null);
  }
  await until(() => descriptors().length <= before, `${before} descriptors`);
});

test("who there is: this user, users by name", async () => {
  assert.deepEqual(processes.user, { uid: process.geteuid?.(), gid: process.getegid?.() });
  assert.deepEqual(await processes.findUser("root"), { uid: 0, gid: 0 });
  assert.equal(await processes.findUser("no-such-user"), null);
  assert.equal(await processes.findUser("-u"), null);
  assert.equal(await processes.findUser(""), null);
  const list = "# a comment\nnobody:*:-2:-2:Unprivileged\nbroken:x\n+::::::\nwww:x:33:34:www:/:/bin/sh\n";
  assert.deepEqual(userInList(list, "www"), { uid: 33, gid: 34 });
  assert.deepEqual(userInList(list, "nobody"), { uid: 4294967294, gid: 4294967294 });
  assert.equal(userInList(list, "broken"), null);
  assert.equal(userInList(list, "+"), null);
});

test("this process: variables and processors", () => {
  process.env["HTBIN_TEST"] = "ü";
  assert.equal(processes.environment("HTBIN_TEST"), "ü");
  delete process.env["HTBIN_TEST"];
  assert.equal(processes.environment("HTBIN_TEST"), undefined);
  assert.ok(Number.isInteger(processes.processors) && processes.processors >= 1);
});
