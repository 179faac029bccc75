/**
 * What every adapter owes: files.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import {
  appendFile,
  chmod,
  link,
  mkdir,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test, type TestContext } from "node:test";
import v8 from "node:v8";
import vm from "node:vm";
import { filesIn } from "../../adapters/shared/files_in.ts";
import { openRegularFile } from "../../adapters/shared/node_files.ts";
import { warmPaths } from "../../adapters/shared/warm_paths.ts";
import { type Bytes, FileError, type Observation, type OpenFile } from "../../src/runtime.ts";
import { isRoot, needsProc, nobody, runtime, temporaryDirectory, until } from "../_runtime.ts";
import { makeFifo, makeFiles, probe } from "./_programs.ts";

const { files } = runtime;

/** More than the largest piece that is read at once, and no round number. */
const LARGE = 1024 * 1024 + 3;

function pattern(length: number, seed = 1): Bytes {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    bytes[index] = (index * 31 + (index >> 8) * 7 + seed) & 0xff;
  }
  return bytes;
}

async function fileWith(t: TestContext, content: Uint8Array | string): Promise<string> {
  const path = join(await temporaryDirectory(t), "file");
  await writeFile(path, content);
  return path;
}

async function opened(path: string): Promise<OpenFile> {
  const file = await files.open(path);
  assert.ok(file !== null);
  return file;
}

async function collect(stream: ReadableStream<Bytes>): Promise<Bytes[]> {
  const pieces: Bytes[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return pieces;
    pieces.push(value);
  }
}

function joined(pieces: readonly Bytes[]): Buffer {
  return Buffer.concat(pieces);
}

function isReason(reason: FileError["reason"]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FileError, String(error));
    assert.equal(error.reason, reason, error.message);
    return true;
  };
}

/** How many descriptors of this process lead to the path. */
function descriptorsOf(path: string): number {
  return readdirSync("/proc/self/fd").filter((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`).startsWith(path);
    } catch {
      return false;
    }
  }).length;
}

test("stat: kind, size, whole milliseconds, identity", async (t) => {
  const path = await fileWith(t, "12345");
  await utimes(path, 1_700_000_000.1239, 1_700_000_000.1239);
  const info = await files.stat(path);
  assert.equal(info?.kind, "file");
  assert.equal(info?.size, 5);
  assert.equal(info?.mtimeMs, 1_700_000_000_123);
  await link(path, `${path}2`);
  await symlink(path, `${path}3`);
  await writeFile(`${path}4`, "12345");
  assert.equal((await files.stat(`${path}2`))?.identity, info.identity);
  assert.deepEqual(await files.stat(`${path}3`), info, "follows links");
  assert.notEqual((await files.stat(`${path}4`))?.identity, info.identity);
  assert.equal((await files.stat(join(path, "..")))?.kind, "directory");
  assert.equal((await files.stat("/dev/null"))?.kind, "other");
});

test("stat: always what is there now", async (t) => {
  const path = await fileWith(t, "1");
  for (let length = 1; length < 50; length++) {
    assert.equal((await files.stat(path))?.size, length);
    await appendFile(path, "x");
  }
  await rm(path);
  assert.equal(await files.stat(path), null);
  assert.equal(await files.open(path), null);
  await writeFile(path, "12");
  assert.equal((await files.stat(path))?.size, 2);
  await rm(path);
  await mkdir(path);
  assert.equal((await files.stat(path))?.kind, "directory");
  assert.equal(await files.open(path), null);
});

test("absence is null", async (t) => {
  const path = await fileWith(t, "");
  const loop = `${path}-loop`;
  await symlink(loop, loop);
  await symlink(`${path}-nothing`, `${path}-dangling`);
  const absent: Readonly<Record<string, string>> = {
    "nothing there": `${path}-nothing`,
    "a folder that is not there": `${path}-nothing/file`,
    "below a file": `${path}/below`,
    "a file with a slash": `${path}/`,
    "a link to nothing": `${path}-dangling`,
    "a link to itself": loop,
    "a name too long": `${path}${"x".repeat(300)}`,
    "a path too long": `/${"x/".repeat(5000)}`,
    "a NUL": `${path}\0`,
    "half a character": `${path}\ud800`,
    "no name": "",
  };
  for (const [what, name] of Object.entries(absent)) {
    // Twice: what was asked a moment ago is asked another way.
    for (const time of ["first", "second"]) {
      assert.equal(await files.stat(name), null, `stat: ${what}, ${time}`);
      assert.equal(await files.realPath(name), null, `realPath: ${what}, ${time}`);
      assert.equal(await files.open(name), null, `open: ${what}, ${time}`);
      assert.equal(await files.list(name), null, `list: ${what}, ${time}`);
      assert.equal(await files.isExecutable?.(name), false, `isExecutable: ${what}`);
      assert.equal(await files.permissions?.(name), null, `permissions: ${what}`);
    }
  }
});

test("what the system refuses is an error that says so", async (t) => {
  const directory = await temporaryDirectory(t);
  const locked = join(directory, "locked");
  await mkdir(locked);
  await writeFile(join(locked, "inside"), "");
  await writeFile(join(directory, "unreadable"), "");
  await chmod(join(directory, "unreadable"), 0o000);
  await chmod(locked, 0o000);
  const inside = join(locked, "inside");
  try {
    if (isRoot) process.seteuid?.(nobody.uid);
    for (const time of ["first", "second"]) {
      await assert.rejects(files.stat(inside), isReason("denied"), time);
      await assert.rejects(files.realPath(inside), isReason("denied"), time);
      await assert.rejects(files.open(inside), isReason("denied"), time);
      await assert.rejects(files.list(locked), isReason("denied"), time);
      await assert.rejects(
        files.open(join(directory, "unreadable")),
        (error: unknown) => isReason("denied")(error) && String(error).includes("unreadable"),
      );
    }
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(locked, 0o700);
  }
});

test("out of descriptors is an error that says so", { skip: needsProc }, async (t) => {
  const path = await fileWith(t, "x");
  const met = await probe(["/bin/sh", "-c", 'ulimit -n 100; exec "$@"', "sh"], "exhausted", path);
  assert.deepEqual(met, {
    free: "done",
    open: "exhausted",
    spawn: "exhausted",
    spool: "exhausted",
    list: runtime.name === "node" ? "exhausted" : met["list"],
    stat: "done",
    again: "done",
  });
});

test("realPath: absolute, without links", async (t) => {
  const directory = await temporaryDirectory(t);
  await mkdir(join(directory, "real"));
  await writeFile(join(directory, "real", "file"), "");
  await symlink("real", join(directory, "link"));
  await symlink("link/file", join(directory, "second"));
  const real = join(directory, "real", "file");
  assert.equal(await files.realPath(join(directory, "second")), real);
  assert.equal(await files.realPath(join(directory, "link", "file")), real);
  assert.equal(await files.realPath(`${directory}/real/../real//file`), real);
  assert.equal(await files.realPath(join(directory, "link")), join(directory, "real"));
});

test("open: a regular file, and nothing else", async (t) => {
  const directory = await temporaryDirectory(t);
  const fifo = join(directory, "fifo");
  await makeFifo(fifo);
  const socket = join(directory, "socket");
  const server = createServer().listen(socket);
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  for (const path of [directory, fifo, socket, "/dev/null", "/dev/zero"]) {
    for (const time of ["first", "second"]) {
      assert.equal(await files.open(path), null, `${path}, ${time}`);
    }
  }
  assert.equal((await files.stat(fifo))?.kind, "other");
});

test("open: never waits for a FIFO that takes a file's place", async (t) => {
  const fifo = join(await temporaryDirectory(t), "fifo");
  await makeFifo(fifo);
  // What runs once the kind has been looked at.
  assert.equal(await openRegularFile(fifo), null);
  assert.equal(await openRegularFile(fifo), null);
});

test("open: info and bytes are those of one file, whatever happens to its name", async (t) => {
  const path = await fileWith(t, "first");
  const stat = await files.stat(path);
  const file = await opened(path);
  assert.deepEqual(file.info, stat);
  await writeFile(`${path}2`, "second!");
  await rename(`${path}2`, path);
  assert.equal(joined([await file.read({ offset: 0, length: 5 })]).toString(), "first");
  assert.equal(file.info.size, 5);
  await rm(path);
  assert.equal(joined(await collect(file.stream({ offset: 1, length: 3 }))).toString(), "irs");
});

test("read: the span, as often as asked", async (t) => {
  const content = pattern(LARGE);
  const file = await opened(await fileWith(t, content));
  const spans = [[0, 10], [5, 0], [LARGE - 1, 1], [LARGE, 0], [70_000, 3], [0, LARGE], [0, 10]];
  for (const [offset = 0, length = 0] of spans) {
    const bytes = await file.read({ offset, length });
    assert.ok(bytes.buffer instanceof ArrayBuffer);
    assert.deepEqual(Buffer.from(bytes), Buffer.from(content.subarray(offset, offset + length)));
  }
  const both = await Promise.all(
    spans.map(([offset = 0, length = 0]) => file.read({ offset, length })),
  );
  assert.deepEqual(both.map(({ length }) => length), spans.map(([, length]) => length));
  await file.close();
  await assert.rejects(file.read({ offset: 0, length: 1 }), isReason("failed"));
});

test("readNow: into memory that is there, once the file has been read from", async (t) => {
  const content = pattern(LARGE);
  const path = await fileWith(t, content);
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const file = await opened(path);
  const { readNow } = file;
  assert.ok(readNow !== undefined);
  const memory: Bytes = new Uint8Array(1000);
  assert.equal(readNow({ offset: 0, length: 5 }, memory), null, "it may have to come from a disk");
  // More than is read without the thread pool anyway.
  await file.read({ offset: 0, length: LARGE });
  for (const [offset, length] of [[0, 1000], [LARGE - 1000, 1000], [70_000, 3], [9, 0]] as const) {
    const bytes = readNow({ offset, length }, memory);
    assert.ok(bytes !== null);
    assert.equal(bytes.buffer, memory.buffer);
    assert.deepEqual(Buffer.from(bytes), Buffer.from(content.subarray(offset, offset + length)));
  }
  assert.throws(() => readNow({ offset: LARGE - 3, length: 4 }, memory), isReason("changed"));
  await writeFile(path, pattern(LARGE, 2));
  assert.throws(() => readNow({ offset: 0, length: 5 }, memory), isReason("changed"));
  await file.close();
  assert.throws(() => readNow({ offset: 0, length: 5 }, memory), isReason("failed"));
});

test("moveNow: where readNow() reads, and never of a file that has changed", async (t) => {
  const path = await fileWith(t, pattern(LARGE));
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const file = await opened(path);
  const { moveNow } = file;
  assert.ok(moveNow !== undefined);
  const asked: unknown[] = [];
  const span = { offset: 70_000, length: 1000 };
  const take = (count: number) =>
    moveNow(span, (descriptor, span) => {
      asked.push([typeof descriptor, span]);
      return count;
    });
  assert.equal(take(1000), 0, "it may have to come from a disk");
  assert.deepEqual(asked, []);
  await file.read({ offset: 0, length: LARGE });
  assert.deepEqual([take(1000), take(7), take(0), take(-1)], [1000, 7, 0, 0]);
  assert.deepEqual(asked, Array(4).fill(["number", span]));
  await writeFile(path, pattern(LARGE, 2));
  assert.throws(() => take(1000), isReason("changed"));
  await file.close();
  assert.throws(() => take(1000), isReason("failed"));
});

test("open: tells where the file is, where the system does", { skip: needsProc }, async (t) => {
  const path = await fileWith(t, "here");
  await symlink(path, `${path}-link`);
  const file = await opened(`${path}-link`);
  assert.equal(file.realPath?.(), path);
  await rm(path);
  assert.equal(file.realPath?.(), path, "deleted");
  await file.close();
  assert.equal(file.realPath?.(), null, "closed");
});

test("read, stream: a file that was being written to when it was opened may grow", async (t) => {
  const path = await fileWith(t, pattern(LARGE));
  const file = await opened(path);
  await appendFile(path, "more");
  assert.equal((await file.read({ offset: 0, length: 9 })).length, 9);
  const pieces = await collect(file.stream({ offset: 0, length: LARGE }));
  assert.ok(joined(pieces).equals(Buffer.from(pattern(LARGE))));

  const shorter = await opened(path);
  await truncate(path, LARGE);
  await assert.rejects(shorter.read({ offset: 0, length: 9 }), isReason("changed"));
  await shorter.close();
});

test("read: a file that changed or shrank is an error", async (t) => {
  const path = await fileWith(t, "12345");
  const span = { offset: 0, length: 5 };
  const beyond = await opened(path);
  await assert.rejects(beyond.read({ offset: 3, length: 5 }), isReason("changed"));
  await beyond.close();

  const shorter = await opened(path);
  await truncate(path, 2);
  await assert.rejects(shorter.read(span), isReason("changed"));
  await shorter.close();

  await writeFile(path, "12345");
  const rewritten = await opened(path);
  await writeFile(path, "54321");
  await utimes(path, 1_700_000_000, 1_700_000_000);
  await assert.rejects(rewritten.read(span), isReason("changed"));
  await rewritten.close();
});

test("read: into memory that is there already, as far as it goes", async (t) => {
  const file = await opened(await fileWith(t, "12345"));
  const memory = new Uint8Array(4).fill(9);
  const bytes = await file.read({ offset: 1, length: 3 }, memory);
  assert.deepEqual([bytes.buffer, ...bytes], [memory.buffer, 0x32, 0x33, 0x34]);
  assert.equal(memory[3], 9);
  await file.close();
});

test("stream: the whole, a part, nothing", async (t) => {
  const content = pattern(LARGE);
  const path = await fileWith(t, content);
  for (const [offset, length] of [[0, LARGE], [1, LARGE - 2], [LARGE - 1, 1], [9, 0]] as const) {
    const pieces = await collect((await opened(path)).stream({ offset, length }));
    const wanted = Buffer.from(content.subarray(offset, offset + length));
    assert.ok(joined(pieces).equals(wanted), `${offset}, ${length}`);
    for (const piece of pieces.slice(0, -1)) assert.ok(piece.length >= 65536);
  }
});

test("stream: reads nothing before it is wanted", async (t) => {
  const path = await fileWith(t, pattern(LARGE));
  const file = await opened(path);
  const reader = file.stream({ offset: 0, length: LARGE }).getReader();
  // Long enough for a first piece to be read as well.
  await file.read({ offset: 0, length: LARGE });
  await truncate(path, 0);
  await assert.rejects(reader.read(), isReason("changed"));
});

test("stream: never two versions in one body", async (t) => {
  const path = await fileWith(t, pattern(LARGE, 1));
  const changes: Readonly<Record<string, () => Promise<unknown>>> = {
    "cut short": () => truncate(path, 300_000),
    "written over": () => writeFile(path, pattern(LARGE, 2)),
    "appended to": () => appendFile(path, "more"),
  };
  for (const [what, change] of Object.entries(changes)) {
    await writeFile(path, pattern(LARGE, 1));
    await utimes(path, 1_700_000_000, 1_700_000_000);
    const file = await opened(path);
    const reader = file.stream({ offset: 0, length: LARGE }).getReader();
    await reader.read();
    await change();
    const rest = async () => {
      while (!(await reader.read()).done);
    };
    await assert.rejects(rest(), isReason("changed"), what);
  }
});

test("stream: a change during the last piece shows before the end", async (t) => {
  const path = await fileWith(t, pattern(300_000));
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const file = await opened(path);
  const reader = file.stream({ offset: 0, length: 300_000 }).getReader();
  const first = await reader.read();
  assert.ok(!first.done && first.value.length < 300_000);
  await writeFile(path, pattern(300_000, 2));
  await assert.rejects(reader.read(), isReason("changed"));
});

test("a file is closed by the first of close, end, error, cancel", { skip: needsProc }, async (t) => {
  const path = await fileWith(t, pattern(LARGE));
  const whole = { offset: 0, length: LARGE };
  const ways: Readonly<Record<string, (file: OpenFile) => Promise<unknown>>> = {
    close: (file) => file.close(),
    "close twice": async (file) => {
      await file.close();
      await file.close();
    },
    end: (file) => collect(file.stream(whole)),
    "the end of nothing": (file) => collect(file.stream({ offset: 0, length: 0 })),
    cancel: (file) => file.stream(whole).cancel(),
    "cancel in the middle": async (file) => {
      const reader = file.stream(whole).getReader();
      await reader.read();
      await reader.cancel();
    },
    "cancel during a read": async (file) => {
      const reader = file.stream(whole).getReader();
      const reading = reader.read();
      await reader.cancel();
      assert.equal((await reading).done, true);
    },
    "close during a read": async (file) => {
      const reading = file.read(whole);
      await file.close();
      assert.ok(Buffer.from(pattern(LARGE)).equals(await reading));
    },
    error: (file) => assert.rejects(collect(file.stream({ offset: 9, length: LARGE }))),
  };
  for (const [way, release] of Object.entries(ways)) {
    const file = await opened(path);
    assert.equal(descriptorsOf(path), 1, way);
    await release(file);
    await until(() => descriptorsOf(path) === 0, `closed by ${way}`);
  }
});

test("a number that was closed is never closed again", { skip: needsProc }, async (t) => {
  const path = await fileWith(t, "content");
  const first = await opened(path);
  await first.close();
  // Most likely under the same number.
  const second = await opened(path);
  await first.close();
  await assert.rejects(first.read({ offset: 0, length: 1 }), isReason("failed"));
  assert.equal(joined(await collect(second.stream({ offset: 0, length: 7 }))).toString(), "content");
});

test("a file that was forgotten is closed once it is garbage", { skip: needsProc }, async (t) => {
  const path = await fileWith(t, pattern(LARGE));
  const collectGarbage = garbageCollector();
  await (async () => {
    for (let count = 0; count < 20; count++) {
      const file = await opened(path);
      if (count % 2 === 0) file.stream({ offset: 0, length: LARGE });
    }
  })();
  const kept = (await opened(path)).stream({ offset: 0, length: LARGE });
  // A collector may take what still lies on its stack for a reference.
  await until(() => {
    collectGarbage();
    return descriptorsOf(path) <= 4;
  }, "closed");
  // A stream alone keeps its file open.
  assert.equal(joined(await collect(kept)).length, LARGE);
});

function garbageCollector(): () => void {
  const bun = (globalThis as { Bun?: { gc(force: boolean): void } }).Bun;
  if (bun !== undefined) return () => bun.gc(true);
  v8.setFlagsFromString("--expose_gc");
  return vm.runInNewContext("gc");
}

test("list: every name once, with its kind", async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, "file"), "");
  await writeFile(join(directory, "ünï cödé\n"), "");
  await writeFile(join(directory, ".hidden"), "");
  await writeFile(join(directory, "\uFFFD"), "");
  await mkdir(join(directory, "folder"));
  await symlink("folder", join(directory, "link"));
  await symlink("nothing", join(directory, "dangling"));
  await makeFifo(join(directory, "fifo"));
  // No path can name it.
  await makeFiles(directory, "printf 'bad\\377'");
  const found: Record<string, string> = {};
  const entries = await files.list(directory);
  assert.ok(entries !== null);
  for await (const { name, kind } of entries) {
    assert.ok(!(name in found), name);
    found[name] = kind;
  }
  assert.deepEqual(
    Object.entries(found).sort(),
    [
      [".hidden", "file"],
      ["dangling", "link"],
      ["fifo", "other"],
      ["file", "file"],
      ["folder", "directory"],
      ["link", "link"],
      ["ünï cödé\n", "file"],
      ["\uFFFD", "file"],
    ].sort(),
  );
  const file = join(directory, "file");
  assert.equal(await files.list(file), null);
});

test("list: a large folder lets others run, and is given back early", async (t) => {
  const directory = await temporaryDirectory(t);
  const size = 5000;
  await writeFile(join(directory, "0"), "");
  // Links, because they are cheap to make.
  await Promise.all(
    Array.from(
      { length: size - 1 },
      (_, index) => link(join(directory, "0"), join(directory, `${index + 1}`)),
    ),
  );
  let turns = 0;
  let going = true;
  const turn = () => {
    turns++;
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  let count = 0;
  for await (const { kind } of await files.list(directory) ?? []) {
    assert.equal(kind, "file");
    count++;
  }
  going = false;
  assert.equal(count, size);
  assert.ok(turns >= 4, `${turns} turns`);
  for await (const _ of await files.list(directory) ?? []) break;
  if (needsProc === false) {
    await until(() => descriptorsOf(directory) === 0, "the folder is closed");
  }
});

/** What `filesIn()` tells of each name; `undefined` where it does not. */
async function lookedAt(directory: string, names: readonly string[], afterPiece = async () => {}) {
  const found: ({ size: number; mtimeMs: number | null } | null)[] = [];
  for await (const piece of files.filesIn?.(directory, names) ?? []) {
    found.push(...piece);
    await afterPiece();
  }
  return names.map((_, index) => found[index]);
}

test("filesIn: regular files that can be read, and nothing else", { skip: needsProc }, async (t) => {
  const directory = await temporaryDirectory(t);
  const times = [new Date("1969-12-31T23:59:58.750Z"), new Date("2024-01-02T03:04:05.750Z")] as const;
  for (const [name, time] of [["old", times[0]], ["ünï cödé\n", times[1]]] as const) {
    await writeFile(join(directory, name), name);
    await utimes(join(directory, name), time, time);
  }
  await mkdir(join(directory, "folder"));
  await writeFile(join(directory, "folder", "file"), "");
  await symlink("old", join(directory, "link"));
  await makeFifo(join(directory, "fifo"));
  await writeFile(join(directory, "\uFFFD"), "");
  const none = [
    "folder",
    "folder/file",
    "link",
    "fifo",
    "missing",
    "",
    ".",
    "..",
    "old\0",
    "\uD800",
    "x".repeat(300),
  ];
  for (let time = 0; time < 2; time++) {
    assert.deepEqual(await lookedAt(directory, ["old", ...none, "ünï cödé\n"]), [
      { size: 3, mtimeMs: times[0].getTime() },
      ...none.map(() => null),
      { size: 13, mtimeMs: times[1].getTime() },
    ]);
    for (const name of ["old", "ünï cödé\n"]) {
      const { size, mtimeMs } = (await files.stat(join(directory, name)))!;
      assert.deepEqual(await lookedAt(directory, [name]), [{ size, mtimeMs }]);
    }
  }
  await chmod(join(directory, "old"), 0);
  if (!isRoot) assert.deepEqual(await lookedAt(directory, ["old"]), [null]);
  const names = Array.from({ length: 200 }, (_, index) => `${index}`);
  await Promise.all(names.map((name, size) => writeFile(join(directory, name), "x".repeat(size))));
  assert.deepEqual((await lookedAt(directory, names)).map((file) => file?.size), [...names.keys()]);
});

test("filesIn: nothing of what has come to be at the folder's path", { skip: needsProc }, async (t) => {
  const base = await files.realPath(await temporaryDirectory(t)) as string;
  const [folder, other, away] = ["folder", "other", "away"].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  const names = Array.from({ length: 200 }, (_, index) => `${index}`);
  for (const [path, content] of [[folder, "1"], [other, "22"]] as const) {
    await mkdir(path);
    for (const name of names) await writeFile(join(path, name), content);
  }
  let isSwapped = false;
  const found = await lookedAt(folder, names, async () => {
    if (isSwapped) return;
    isSwapped = true;
    await rename(folder, away);
    await symlink(other, folder);
  });
  assert.deepEqual(found.map((file) => file?.size), names.map(() => 1));
  // What leads through links is not known.
  assert.deepEqual(await lookedAt(folder, names), names.map(() => undefined));
  await rm(folder);
  assert.deepEqual(await lookedAt(folder, names), names.map(() => undefined));
  if (needsProc === false) await until(() => descriptorsOf(base) === 0, "the folders are closed");
});

test("filesIn: is given back early", { skip: needsProc }, async (t) => {
  const directory = await files.realPath(await temporaryDirectory(t)) as string;
  const names = Array.from({ length: 100 }, (_, index) => `${index}`);
  for (const name of names) await writeFile(join(directory, name), "");
  for await (const _ of files.filesIn?.(directory, names) ?? []) break;
  assert.equal(descriptorsOf(directory), 0);
});

test("filesIn: a slow disk is asked in threads first", { skip: needsProc }, async (t) => {
  const directory = await files.realPath(await temporaryDirectory(t)) as string;
  const names = Array.from({ length: 200 }, (_, index) => `${index}`);
  const ahead = new Set<string>();
  const slow = "150";
  const lookedAt: string[] = [];
  const look = filesIn(() => (name) => {
    const end = performance.now() + (name === slow ? 2 : 0);
    while (performance.now() < end);
    // The first, and what comes after a slow one.
    if (lookedAt.length === 0 || lookedAt.at(-1) === slow) assert.ok(ahead.has(name), name);
    lookedAt.push(name);
    return { size: Number(name), mtimeMs: 0 };
  }, async (path) => {
    await Promise.resolve();
    ahead.add(path.slice(directory.length + 1));
  });
  const found: (number | undefined)[] = [];
  for await (const piece of look(directory, names)) found.push(...piece.map((file) => file?.size));
  assert.deepEqual(found, [...names.keys()]);
  assert.deepEqual(lookedAt, names);
});

test("turn: others run", async () => {
  let isHeard = false;
  setImmediate(() => isHeard = true);
  for (let turn = 0; turn < 3; turn++) await files.turn?.();
  assert.ok(isHeard);
});

test("isExecutable, permissions", { skip: process.platform === "win32" }, async (t) => {
  const path = await fileWith(t, "");
  await chmod(path, 0o644);
  assert.equal(await files.isExecutable?.(path), false);
  await chmod(path, 0o755);
  assert.equal(await files.isExecutable?.(path), true);
  assert.equal(await files.isExecutable?.(join(path, "..")), false, "a folder");
  const permissions = await files.permissions?.(path);
  assert.deepEqual(permissions, {
    uid: process.geteuid?.(),
    gid: permissions?.gid,
    mode: 0o755,
  });
  await chmod(path, 0o611);
  // The owner has no right to it, whatever the others have; root needs any.
  assert.equal(await files.isExecutable?.(path), isRoot);
});

test("Deno: what it was not allowed is denied, without a prompt", {
  skip: runtime.name !== "deno" && "only Deno has permissions",
}, async (t) => {
  const path = await fileWith(t, "");
  const flags = [`--allow-read=${path}`, "--allow-run=/bin/true"];
  const met = await probe([], "restricted", path, flags);
  assert.deepEqual(met, {
    stat: "done",
    statElse: "denied",
    openElse: "denied",
    realPathElse: "denied",
    listElse: "denied",
    spawnElse: "denied",
    spool: "denied",
    environment: null,
    user: "not told",
    nobody: "denied",
    // Told by the adapter: Deno itself would have asked at the terminal.
    message: "Cannot look at /etc/passwd: Deno was not started with --allow-read for it",
  });
  // Who may run programs may know who they are: a root that does not know itself would not step down.
  const able = await probe([], "restricted", path, [`--allow-read=${path}`, "--allow-run"]);
  assert.deepEqual(able["user"], runtime.processes.user);
  assert.equal(able["nobody"], "done");
  assert.equal(able["spawnElse"], "done");
});

test("observe() tells whether a path still names the same", async (t) => {
  const folder = await temporaryDirectory(t);
  const path = join(folder, "file");
  await writeFile(path, "content");
  await mkdir(join(folder, "sub"));
  await symlink("file", join(folder, "link"));
  const observe = (name: string): Observation => {
    const seen = files.observe?.(join(folder, name));
    if (!seen) throw new Error(`${name} could not be looked at`);
    return seen;
  };
  const file = observe("file");
  assert.deepEqual(file.info, await files.stat(path));
  assert.ok(file.changedMs !== null && Math.abs(file.changedMs - Date.now()) < 60_000);
  const sub = observe("sub");
  assert.equal(sub.info?.kind, "directory");
  assert.equal(observe("link").info?.kind, "other");
  const none = observe("none");
  const below = observe("file/none");
  assert.deepEqual([none.info, below.info], [null, null]);
  for (const seen of [file, sub, none, below]) assert.equal(seen.isCurrent(), true);

  await writeFile(join(folder, "sub", "new"), "");
  assert.equal(sub.isCurrent(), true, "a folder with something new in it");
  await writeFile(join(folder, "none"), "");
  assert.equal(none.isCurrent(), false, "where nothing was");
  await until(async () => {
    // The dates of files move in steps.
    await writeFile(path, "CONTENT");
    await utimes(path, new Date(), (file.info?.mtimeMs ?? 0) / 1000);
    return !file.isCurrent();
  }, "a file written anew, with the same size and date");
  const again = observe("file");
  await rename(path, `${path}2`);
  assert.equal(again.isCurrent(), false, "a file that is gone");
  await symlink("file2", path);
  assert.equal(again.isCurrent(), false, "a link to that file");
  await rm(join(folder, "sub"), { recursive: true });
  assert.equal(sub.isCurrent(), false, "a folder that is gone");
  assert.equal(files.observe?.("a\0b"), null, "a path that none can have");
});

test("direct calls, one after the other: until one of them is slow", () => {
  let now = 0;
  const warm = warmPaths(() => now);
  const taken = { "/a": 0.1, "/b": 0.4, "/c": 0.6, "/d": 0 };
  const names = Object.keys(taken) as (keyof typeof taken)[];
  const wait = (name: string) => (now += taken[name as keyof typeof taken], name);
  assert.deepEqual(warm.whileQuick(wait, names, 0.5), ["/a", "/b", "/c"], "the last one has taken long");
});

test("direct calls: for what was asked a moment ago, while they are quick", () => {
  let now = 0;
  const warm = warmPaths(() => now);
  assert.equal(warm.isWarm("/a"), false);
  warm.met("/a");
  assert.equal(warm.isWarm("/a"), true);
  assert.equal(warm.isWarm("/b"), false);
  now = 1000;
  assert.equal(warm.isWarm("/a"), false, "a second later");
  warm.met("/a");
  assert.equal(warm.directly(() => "answer"), "answer");
  assert.equal(warm.isWarm("/a"), true);
  const slowly = (ms: number) =>
    assert.throws(() =>
      warm.directly(() => {
        now += ms;
        throw new Error("also when it fails");
      })
    );
  function slowCallsUntilTrustIsLost(): number {
    for (let count = 0;; count++) {
      warm.met("/a");
      if (!warm.isWarm("/a")) return count;
      slowly(15);
    }
  }
  slowly(500);
  warm.met("/a");
  assert.equal(warm.isWarm("/a"), true, "after one slow call");
  slowly(15);
  for (let count = 0; count < 100; count++) warm.directly(() => {});
  slowly(15);
  slowly(15);
  assert.equal(warm.isWarm("/a"), true, "after quick ones");
  now += 800;
  warm.met("/a");
  slowly(15);
  assert.equal(warm.isWarm("/a"), true, "after some a second");
  for (const pause of [1, 2, 4, 8, 16, 16]) {
    assert.ok(slowCallsUntilTrustIsLost() <= 4);
    assert.equal(warm.ifQuick(() => "answer", "/a"), undefined);
    assert.deepEqual(warm.whileQuick(() => "answer", ["/a"], 1), []);
    now += pause * 1000 - 1;
    warm.met("/a");
    assert.equal(warm.isWarm("/a"), false, `for ${pause} s`);
    now += 1;
    assert.equal(warm.isWarm("/a"), true, `for ${pause} s`);
  }
  now += 20_000;
  assert.ok(slowCallsUntilTrustIsLost() <= 4);
  now += 1000;
  warm.met("/a");
  assert.equal(warm.isWarm("/a"), true, "for a second again, after a time without");
  for (let index = 0; index < 20_000; index++) warm.met(`/${index}`);
  assert.equal(warm.isWarm("/a"), false, "and no more than so many");
});
