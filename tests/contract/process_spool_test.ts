/**
 * What every adapter owes: spool files.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { FileError } from "../../src/runtime.ts";
import { descriptors, needsProc, runtime, temporaryDirectory, textOf, until } from "../_runtime.ts";
import { contract, encode, isReason, outputOf, pattern, sh, spooled } from "./_processes.ts";

const { processes, files } = runtime;

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

contract("spool: a start that fails leaves it to be used again", {}, async () => {
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
