/**
 * What every adapter owes: what programs write.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { needsProc, runtime, temporaryDirectory, textOf } from "../_runtime.ts";
import { awaitText, contract, encode, settled, sh } from "./_processes.ts";

contract("what an ended program wrote can still be read", {}, async () => {
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

contract("output is opened by name where pipes are pipes", { skip: needsProc }, async (_t, way) => {
  const child = await sh("echo out >/dev/stdout");
  const [output, errors] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  if (runtime.name === "deno" || way === "launched") assert.equal(output + errors, "out\n");
  // Node and Bun make sockets, which cannot be opened by name (ENXIO). Should that change, this test may go.
  else assert.match(errors, /No such device/);
});

contract("output arrives as it is written", {}, async () => {
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

contract("output that is not read stalls the program, and memory stays flat", {}, async (t) => {
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
    if (count % (16 << 20) >= 65536) continue;
    // What is garbage is not held. Bun takes its time to see that pieces are.
    (globalThis as { Bun?: { gc(now: boolean): void } }).Bun?.gc(true);
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  assert.equal(count, much);
  assert.ok(peak - before < much / 2, `${peak - before} bytes more`);
  await gusher.stderr.cancel();
});

contract("a program whose output was cancelled cannot write any more", {}, async () => {
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
