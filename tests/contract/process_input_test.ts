/**
 * What every adapter owes: what programs read.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Command } from "../../src/runtime.ts";
import { isRoot, needsProc, nobody, runtime, textOf, until } from "../_runtime.ts";
import {
  awaitText,
  contract,
  discard,
  encode,
  outputOf,
  pattern,
  settled,
  sh,
  spooled,
  untilLaunched,
} from "./_processes.ts";

const { processes } = runtime;

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

contract("stdin: the same bytes, from memory, a stream or a file", {}, async () => {
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

contract("stdin: many small pieces are the same bytes, for a program that reads late", {}, async () => {
  const content = pattern(2_000_003);
  let at = 0;
  const stdin = new ReadableStream<Uint8Array>({
    pull(controller) {
      const from = at;
      at += 1 + at % 700;
      controller.enqueue(content.subarray(from, at));
      if (at >= content.length) controller.close();
    },
  });
  const child = await sh("sleep 0.2; exec cat", { stdin });
  const chunks: Uint8Array[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).equals(content));
  await child.stderr.cancel();
});

contract("stdin: nothing is the end at once", {}, async () => {
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

contract("stdin: a program that does not read 4 MiB does no harm", {}, async () => {
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

contract("stdin: a stream is read at the program's pace, and cancelled when it ends", {}, async () => {
  const source = endless();
  const child = await sh("head -c 100000 >/dev/null; echo read >&2; read line </dev/null; sleep 60", {
    stdin: source.stream,
  });
  const errors = child.stderr.getReader();
  await awaitText(errors, "read");
  await settled(source.taken);
  assert.ok(source.taken() >= 100_000 && source.taken() <= 2 << 20, `${source.taken()}`);
  child.stop("KILL");
  await source.cancelled;
  await Promise.all([child.stdout.cancel(), errors.cancel()]);
});

contract(
  "stdin: a stream is cancelled when the program closes its end, or left it to others",
  {},
  async () => {
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
  },
);

contract("stdin: when the source fails, the program sees the end", {}, async () => {
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
  await Promise.all([reader.cancel(), child.stderr.cancel()]);
  assert.deepEqual(await child.exited, { code: 0, signal: null });
});

contract("stdin: what is there as a whole can be opened by name", { skip: needsProc }, async (_t, way) => {
  for (const user of isRoot ? [null, nobody] : [null]) {
    const inputs: Command["stdin"][] = [encode("by name")];
    if (way === "launched") await untilLaunched(user);
    // A pipe belongs to who made it: another user cannot open it by name, and Deno itself makes a pipe of all input.
    if (runtime.name === "deno" && user !== null && way === "direct") continue;
    if (runtime.name !== "deno" || user === null) inputs.push(await spooled(encode("by name")));
    for (const stdin of inputs) {
      const child = await sh("cat /dev/stdin", { stdin, user });
      assert.equal(await outputOf(child), "by name");
    }
  }
});
