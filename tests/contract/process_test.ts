/**
 * What every adapter owes: programs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { isKnownFormat } from "../../adapters/shared/program_format.ts";
import { userInList } from "../../adapters/shared/user_list.ts";
import {
  type Bytes,
  type ChildProcess,
  type Command,
  FileError,
  SpawnError,
  type SpawnErrorReason,
} from "../../src/runtime.ts";
import {
  isRoot,
  needsProc,
  needsRoot,
  nobody,
  runtime,
  temporaryDirectory,
  textOf,
  until,
} from "../_runtime.ts";
import { makeFifo, probe, writeProgram } from "./_programs.ts";

const { processes, files } = runtime;

/** What the scripts here need to find their commands; no test may rely on more. */
const PATH = "/usr/local/bin:/usr/bin:/bin";

const utf8 = new TextEncoder();

function encode(text: string): Bytes {
  return new Uint8Array(utf8.encode(text));
}

/** Starts a shell script of one line. */
function sh(script: string, rest: Partial<Command> = {}): Promise<ChildProcess> {
  return processes.spawn({
    program: "/bin/sh",
    args: ["-c", script],
    env: { PATH },
    cwd: "/",
    stdin: null,
    user: null,
    ...rest,
  });
}

/** What it wrote to its output, once all is over. */
async function outputOf(child: ChildProcess): Promise<string> {
  const [output, errors] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  assert.equal(errors, "");
  await child.exited;
  return output;
}

async function discard(child: ChildProcess): Promise<void> {
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
}

/** Reads until the text is there, and leaves the rest. */
async function awaitText(
  reader: ReadableStreamDefaultReader<Bytes>,
  text: string,
): Promise<string> {
  const decoder = new TextDecoder();
  let seen = "";
  while (!seen.includes(text)) {
    const { done, value } = await reader.read();
    assert.ok(!done, `"${seen}" ended before "${text}"`);
    seen += decoder.decode(value, { stream: true });
  }
  return seen;
}

function isReason(reason: SpawnErrorReason, text = ""): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SpawnError, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.ok(error.message.includes(text), error.message);
    return true;
  };
}

function descriptors(): string[] {
  return readdirSync("/proc/self/fd").flatMap((number) => {
    try {
      return [readlinkSync(`/proc/self/fd/${number}`)];
    } catch {
      return [];
    }
  });
}

test("the environment is exactly what was given", async (t) => {
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

test("arguments and working directory arrive unchanged", async (t) => {
  const directory = join(await temporaryDirectory(t), "a ü\n'b");
  await mkdir(directory);
  const args = ["one two", "", "-x", "$HOME", "*", "ü🎉", "line\nbreak", "'\"\\"];
  const script = 'printf "%s\\0" "$0" "$@"; pwd';
  const child = await sh("", { args: ["-c", script, ...args], cwd: directory });
  assert.equal(await outputOf(child), `${args.join("\0")}\0${directory}\n`);
});

test("exited: the code, or the signal's name", async () => {
  const ends: Readonly<Record<string, unknown>> = {
    "exit 0": { code: 0, signal: null },
    "exit 3": { code: 3, signal: null },
    "exit 143": { code: 143, signal: null },
    "kill -TERM $$": { code: null, signal: "SIGTERM" },
    "kill -KILL $$": { code: null, signal: "SIGKILL" },
    "kill -SEGV $$": { code: null, signal: "SIGSEGV" },
    // Node has no way to tell a signal without a name from success.
    "kill -40 $$": runtime.name === "node" ? { code: 0, signal: null } : { code: null, signal: "SIG40" },
  };
  for (const [script, end] of Object.entries(ends)) {
    const child = await sh(`ulimit -c 0; ${script}`);
    await discard(child);
    assert.deepEqual(await child.exited, end, script);
  }
});

test("exited does not wait for whoever holds the pipes; they end with the last of them", async (t) => {
  const fifo = join(await temporaryDirectory(t), "fifo");
  await makeFifo(fifo);
  const child = await sh(`(read line <"$0"; echo late; echo err >&2) & echo early; exit 4`, {
    args: ["-c", `(read line <"$0"; echo late; echo err >&2) & echo early; exit 4`, fifo],
  });
  assert.deepEqual(await child.exited, { code: 4, signal: null });
  const reader = child.stdout.getReader();
  assert.equal(await awaitText(reader, "early\n"), "early\n");
  await writeFile(fifo, "go\n");
  assert.equal(await awaitText(reader, "late\n"), "late\n");
  assert.equal((await reader.read()).done, true);
  assert.equal(await textOf(child.stderr), "err\n");
});

test("what an ended program wrote can still be read", async () => {
  for (const size of [3, 100_000]) {
    const child = await sh(`head -c ${size} /dev/zero; echo error >&2`);
    if (size < 65536) await child.exited;
    const errors = textOf(child.stderr);
    const reader = child.stdout.getReader();
    let count = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      assert.ok(value.buffer instanceof ArrayBuffer);
      count += value.length;
    }
    assert.equal(count, size);
    assert.equal(await errors, "error\n");
  }
});

test("a program that cannot be started: why", async (t) => {
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

test("what cannot be passed on is refused, not cut off", async () => {
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

test("a process group of its own, which leads a session", { skip: needsProc }, async () => {
  const child = await sh("cat /proc/$$/stat");
  const [, , parent, group, session] = statFields(await outputOf(child));
  assert.equal(Number(parent), process.pid);
  assert.equal(Number(group), child.pid);
  assert.equal(Number(session), child.pid);
});

function statFields(line: string): string[] {
  const end = line.lastIndexOf(")");
  return [line.slice(0, end), ...line.slice(end + 2).split(" ")];
}

test("stop: TERM ends the program and all it started", async () => {
  const child = await sh("sleep 60 & (sleep 60; echo) & echo up; wait");
  const reader = child.stdout.getReader();
  await awaitText(reader, "up");
  assert.equal(child.stop("TERM"), true);
  assert.deepEqual(await child.exited, { code: null, signal: "SIGTERM" });
  // All of them held this pipe.
  assert.equal((await reader.read()).done, true);
  assert.equal(await textOf(child.stderr), "");
});

test("stop: KILL forces what ignores TERM", async () => {
  const child = await sh("trap '' TERM; sleep 60 & echo up; while :; do wait; done");
  const reader = child.stdout.getReader();
  await awaitText(reader, "up");
  assert.equal(child.stop("TERM"), true);
  assert.equal(child.stop("KILL"), true);
  assert.deepEqual(await child.exited, { code: null, signal: "SIGKILL" });
  assert.equal((await reader.read()).done, true);
  await child.stderr.cancel();
});

test("stop: at once, before the program has got anywhere", async () => {
  for (let round = 0; round < 10; round++) {
    for (const signal of ["TERM", "KILL"] as const) {
      const child = await sh("sleep 60");
      assert.equal(child.stop(signal), true);
      assert.deepEqual(await child.exited, { code: null, signal: `SIG${signal}` });
      await discard(child);
    }
  }
});

test("stop: also what an ended program left behind", async () => {
  const child = await sh("sleep 60 >/dev/null 2>&1 & echo $!");
  const left = Number(await outputOf(child));
  assert.ok(isAlive(left));
  assert.equal(child.stop("TERM"), true);
  await until(() => !isAlive(left), "ended");

  const alone = await sh("exit 0");
  await discard(alone);
  await alone.exited;
  assert.equal(alone.stop("TERM"), false);
  assert.equal(alone.stop("KILL"), false);
});

function isAlive(pid: number): boolean {
  try {
    // Whoever inherits it may take a moment to notice its end.
    return statFields(readFileSync(`/proc/${pid}/stat`, "utf8"))[1] !== "Z";
  } catch {
    return false;
  }
}

test("signals are at their defaults, and none is blocked", { skip: needsProc }, async () => {
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

test(
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

test("no zombie is left, and no descriptor", { skip: needsProc }, async () => {
  const round = async (index: number) => {
    const child = await sh("cat; echo err >&2", {
      stdin: index % 3 === 0 ? encode(`${index}`) : index % 3 === 1 ? streamOf(`${index}`) : null,
    });
    const [output] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    assert.equal(output, index % 3 === 2 ? "" : `${index}`);
    assert.deepEqual(await child.exited, { code: 0, signal: null });
    await until(() => !existsSync(`/proc/${child.pid}`), "reaped");
  };
  await Promise.all(Array.from({ length: 4 }, (_, index) => round(index)));
  const before = descriptors().length;
  await Promise.all(Array.from({ length: 40 }, (_, index) => round(index)));
  await until(() => descriptors().length <= before, `${before} descriptors`);
});

test("a start that fails leaves no descriptor", { skip: needsProc }, async (t) => {
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

/** A stream of one piece. */
function streamOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encode(text));
      controller.close();
    },
  });
}

/** A stream without end, that counts what was taken and notes its cancel. */
function endless(): {
  readonly stream: ReadableStream<Uint8Array>;
  taken(): number;
  readonly cancelled: Promise<void>;
} {
  let taken = 0;
  let cancel = () => {};
  const cancelled = new Promise<void>((resolve) => cancel = resolve);
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      taken += 65536;
      controller.enqueue(new Uint8Array(65536));
    },
    cancel: () => cancel(),
  }, { highWaterMark: 0 });
  return { stream, taken: () => taken, cancelled };
}

async function spooled(content: Uint8Array, pieces = 1) {
  const spool = await processes.spool();
  const size = Math.ceil(content.length / pieces);
  for (let start = 0; start < content.length; start += size) {
    await spool.write(content.subarray(start, start + size));
  }
  assert.equal(spool.size, content.length);
  return spool;
}

function pattern(length: number): Bytes {
  return new Uint8Array(length).map((_, index) => (index * 31 + (index >> 8)) & 0xff);
}

test("stdin: the same bytes, from memory, a stream or a file", async () => {
  const content = pattern(1_000_003);
  const pieces = () => {
    let at = 0;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(content.subarray(at, at += 100_000));
        controller.enqueue(new Uint8Array(0));
        if (at >= content.length) controller.close();
      },
    });
  };
  const inputs: Readonly<Record<string, Command["stdin"]>> = {
    memory: content,
    stream: pieces(),
    file: await spooled(content, 7),
  };
  for (const [what, stdin] of Object.entries(inputs)) {
    const child = await sh("cat", { stdin });
    const chunks: Uint8Array[] = [];
    for await (const chunk of child.stdout) chunks.push(chunk);
    assert.ok(Buffer.concat(chunks).equals(content), what);
    await child.stderr.cancel();
  }
});

test("stdin: nothing is the end at once", async () => {
  const nothing: Readonly<Record<string, Command["stdin"]>> = {
    null: null,
    "no bytes": new Uint8Array(0),
    "an empty stream": new ReadableStream({ start: (controller) => controller.close() }),
    "an empty file": await processes.spool(),
  };
  for (const [what, stdin] of Object.entries(nothing)) {
    assert.equal(await outputOf(await sh("wc -c", { stdin })), "0\n", what);
  }
});

test("stdin: a program that does not read 4 MiB does no harm", async () => {
  const inputs: Readonly<Record<string, Command["stdin"]>> = {
    memory: new Uint8Array(4 << 20),
    stream: endless().stream,
    file: await spooled(new Uint8Array(4 << 20)),
  };
  for (const [what, stdin] of Object.entries(inputs)) {
    const child = await sh("echo done; exit 5", { stdin });
    assert.equal(await outputOf(child), "done\n", what);
    assert.deepEqual(await child.exited, { code: 5, signal: null }, what);
  }
});

test("stdin: a stream is read at the program's pace, and cancelled when it ends", async () => {
  const source = endless();
  const child = await sh("head -c 100000 >/dev/null; echo read >&2; read line </dev/null; sleep 60", {
    stdin: source.stream,
  });
  await awaitText(child.stderr.getReader(), "read");
  await settled(source.taken);
  assert.ok(source.taken() >= 100_000 && source.taken() <= 2 << 20, `${source.taken()}`);
  child.stop("KILL");
  await source.cancelled;
  await child.stdout.cancel();
});

/** Waits until a count no longer grows. */
async function settled(count: () => number): Promise<void> {
  let last = -1;
  await until(async () => {
    const same = count() === last;
    last = count();
    await new Promise((resolve) => setTimeout(resolve, 40));
    return same;
  }, "no more");
}

test("stdin: a stream is cancelled when the program closes its end, or left it to others", async () => {
  const closed = endless();
  const closer = await sh("exec <&-; read line; echo on; exit 6", { stdin: closed.stream });
  const output = textOf(closer.stdout);
  await closed.cancelled;
  assert.equal(await output, "on\n");
  assert.deepEqual(await closer.exited, { code: 6, signal: null });
  await closer.stderr.cancel();

  const held = endless();
  const holder = await sh("exec 3<&0; sleep 60 <&3 & exit 7", { stdin: held.stream });
  assert.deepEqual(await holder.exited, { code: 7, signal: null });
  await held.cancelled;
  assert.equal(holder.stop("KILL"), true);
  await discard(holder);

  // A client that sends nothing more, and a program that has ended.
  let cancelled = false;
  const silent = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  const brief = await sh("exit 0", { stdin: silent });
  await Promise.all([discard(brief), brief.exited]);
  await until(() => cancelled, "cancelled");
});

test("stdin: when the source fails, the program sees the end", async () => {
  let fail = (_error: Error) => {};
  const stdin = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encode("begun "));
      fail = (error) => controller.error(error);
    },
  });
  const child = await sh("cat; echo ended", { stdin });
  const reader = child.stdout.getReader();
  await awaitText(reader, "begun ");
  fail(new Error("the client left"));
  assert.equal(await awaitText(reader, "ended\n"), "ended\n");
  await child.stderr.cancel();
  assert.deepEqual(await child.exited, { code: 0, signal: null });
});

test("stdin: what is there as a whole can be opened by name", { skip: needsProc }, async () => {
  // A pipe belongs to who made it: another user cannot open it by name, and Deno makes a pipe of all input.
  const users = isRoot && runtime.name !== "deno" ? [null, nobody] : [null];
  for (const user of users) {
    for (const stdin of [encode("by name"), await spooled(encode("by name"))]) {
      const child = await sh("cat /dev/stdin", { stdin, user });
      assert.equal(await outputOf(child), "by name");
    }
  }
});

test("output is opened by name where pipes are pipes", { skip: needsProc }, async () => {
  const child = await sh("echo out >/dev/stdout");
  const [output, errors] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  if (runtime.name === "deno") assert.equal(output + errors, "out\n");
  // Node and Bun make sockets, which cannot be opened by name (ENXIO). Should that change, this test may go.
  else assert.match(errors, /No such device/);
});

test("spool: written, then read once; without a name from the start", async (t) => {
  const directory = await temporaryDirectory(t);
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = directory;
  t.after(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  });
  const content = pattern(200_001);
  const spool = await spooled(content, 5);
  assert.deepEqual(readdirSync(directory), []);
  const held = () => descriptors().filter((target) => target.startsWith(directory)).length;
  if (needsProc === false) assert.equal(held(), 1, "in the system's folder for them");
  const chunks: Uint8Array[] = [];
  for await (const chunk of spool.stream()) chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).equals(content));
  if (needsProc === false) assert.equal(held(), 0, "closed at the end");
  await spool.close();
  await assert.rejects(spool.write(encode("x")), FileError);

  const unread = await spooled(encode("x"));
  await unread.stream().cancel();
  const given = await spooled(encode("given"));
  assert.equal(await outputOf(await sh("cat", { stdin: given })), "given");
  await given.close();
  const closed = await spooled(encode("x"));
  await closed.close();
  await closed.close();
  if (needsProc === false) await until(() => held() === 0, "all closed");
  process.env["TMPDIR"] = join(directory, "nothing");
  await assert.rejects(processes.spool(), FileError);
  // A body in memory needs no file.
  assert.equal(await outputOf(await sh("cat", { stdin: encode("x") })), "x");
});

test("spool: a start that fails leaves it to be used again", async () => {
  const spool = await spooled(encode("kept"));
  await assert.rejects(sh("", { program: "/nothing", stdin: spool }), isReason("missing"));
  assert.equal(await outputOf(await sh("cat", { stdin: spool })), "kept");
});

test("spool: closed under a write, it does not write into the next one", async () => {
  for (let round = 0; round < 20; round++) {
    const first = await processes.spool();
    // Too much to be written at once.
    const writing = first.write(new Uint8Array(1 << 20).fill(1));
    await first.close();
    const second = await spooled(encode("second"));
    await writing;
    assert.equal(await textOf(second.stream()), "second");
  }
});

test("spool: nobody else can read it", { skip: needsProc }, async (t) => {
  const directory = await temporaryDirectory(t);
  process.env["TMPDIR"] = directory;
  t.after(() => delete process.env["TMPDIR"]);
  const spool = await processes.spool();
  const number = readdirSync("/proc/self/fd").find((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`).startsWith(directory);
    } catch {
      return false;
    }
  });
  assert.equal((await files.permissions?.(`/proc/self/fd/${number}`))?.mode, 0o600);
  await spool.close();
});

test("output arrives as it is written", async () => {
  let say = (_line: string) => {};
  const stdin = new ReadableStream<Uint8Array>({
    start(controller) {
      say = (line) => controller.enqueue(encode(line));
    },
  });
  const child = await sh("printf a; read x; printf b; read x; printf c >&2", { stdin });
  const reader = child.stdout.getReader();
  assert.equal(await awaitText(reader, "a"), "a");
  say("on\n");
  assert.equal(await awaitText(reader, "b"), "b");
  say("on\n");
  assert.equal(await textOf(child.stderr), "c");
  assert.equal((await reader.read()).done, true);
});

test("output that is not read stalls the program, and memory stays flat", async (t) => {
  const path = join(await temporaryDirectory(t), "count");
  const script = 'while head -c 65536 /dev/zero; do printf x >>"$0"; done; echo ended >&2';
  const child = await sh("", { args: ["-c", script, path] });
  const reader = child.stdout.getReader();
  await reader.read();
  const written = () => existsSync(path) ? readFileSync(path).length : 0;
  await settled(written);
  assert.ok(written() < 32, `${written()} pieces of 64 KiB`);
  // The loop ends, as the reader is gone.
  await reader.cancel();
  const errors = await textOf(child.stderr);
  assert.ok(errors.endsWith("ended\n"), errors);
  assert.deepEqual(await child.exited, { code: 0, signal: null });

  const much = 256 << 20;
  const gusher = await sh(`head -c ${much} /dev/zero`);
  const before = process.memoryUsage().rss;
  let count = 0;
  let peak = 0;
  for await (const chunk of gusher.stdout) {
    count += chunk.length;
    if (count % (16 << 20) < 65536) peak = Math.max(peak, process.memoryUsage().rss);
  }
  assert.equal(count, much);
  assert.ok(peak - before < much / 2, `${peak - before} bytes more`);
  await gusher.stderr.cancel();
});

test("a program whose output was cancelled cannot write any more", async () => {
  // As exec, so that the shell does not report for it.
  const child = await sh("exec cat /dev/zero");
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const { code, signal } = await child.exited;
  // Sockets with unread bytes answer with an error (ECONNRESET) in place of the signal.
  assert.ok(signal === "SIGPIPE" || code === 1, `${code} ${signal}`);
  await child.stderr.cancel();
});

test("user: its numbers, no other groups, a group of its own", { skip: needsRoot }, async (t) => {
  const directory = await temporaryDirectory(t);
  const user = { uid: 12345, gid: 23456 };
  const child = await sh("id -u; id -g; id -G; cat /proc/$$/stat; env", { user, cwd: directory });
  const [uid, gid, groups, stat = "", ...env] = (await outputOf(child)).split("\n");
  assert.deepEqual([uid, gid, groups], ["12345", "23456", "23456"]);
  assert.equal(statFields(stat)[3], `${child.pid}`);
  assert.deepEqual(env.filter((line) => !/^(PWD|PATH|_|OLDPWD|SHLVL)=/.test(line)), [""]);

  const sleeper = await sh("sleep 60 & echo up; wait", { user });
  const reader = sleeper.stdout.getReader();
  await awaitText(reader, "up");
  assert.equal(sleeper.stop("TERM"), true);
  assert.deepEqual(await sleeper.exited, { code: null, signal: "SIGTERM" });
  assert.equal((await reader.read()).done, true);
  await sleeper.stderr.cancel();

  const secret = await writeProgram(directory, "secret", "#!/bin/sh\n", 0o700);
  await assert.rejects(sh("", { program: secret, user }), isReason("denied", "12345"));
});

test("user: the groups this process is in are dropped", {
  skip: needsRoot || (!existsSync("/usr/bin/setpriv") && "there is no setpriv"),
}, async () => {
  const wrapper = ["/usr/bin/setpriv", "--groups", "7,8"];
  const groupsOf = (met: unknown) => /^Groups:(.*)$/m.exec(String(met))?.[1]?.trim();
  const [own, dropped] = await Promise.all([
    probe(wrapper, "status", ""),
    probe(wrapper, "status", "12345:23456"),
  ]);
  assert.equal(groupsOf(own["met"]), "7 8");
  assert.equal(groupsOf(dropped["met"]), "");
  assert.match(String(dropped["met"]), /^Uid:\s*12345\s+12345\s+12345\s+12345$/m);
  assert.match(String(dropped["met"]), /^Gid:\s*23456\s+23456\s+23456\s+23456$/m);
});

test("user: only root may choose", { skip: isRoot && "root may" }, async () => {
  await assert.rejects(sh("exit 0", { user: { uid: 1, gid: 1 } }), isReason("denied"));
  const own = await sh("id -u", { user: processes.user ?? null });
  assert.equal(await outputOf(own), `${processes.user?.uid}\n`);
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
