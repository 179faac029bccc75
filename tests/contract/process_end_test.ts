/**
 * What every adapter owes: programs as they end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { descriptors, needsProc, runtime, temporaryDirectory, textOf, until } from "../_runtime.ts";
import { awaitText, contract, discard, encode, isAlive, outputOf, sh, streamOf } from "./_processes.ts";
import { makeFifo } from "./_programs.ts";

contract("exited: the code, or the signal's name", {}, async (_t, way) => {
  const ends: Readonly<Record<string, unknown>> = {
    "exit 0": { code: 0, signal: null },
    "exit 3": { code: 3, signal: null },
    "exit 143": { code: 143, signal: null },
    "kill -TERM $$": { code: null, signal: "SIGTERM" },
    "kill -KILL $$": { code: null, signal: "SIGKILL" },
    "kill -SEGV $$": { code: null, signal: "SIGSEGV" },
    // Node has no way to tell a signal without a name from success.
    "kill -40 $$": way === "direct" && runtime.name === "node"
      ? { code: 0, signal: null }
      : { code: null, signal: "SIG40" },
  };
  for (const [script, end] of Object.entries(ends)) {
    const child = await sh(`ulimit -c 0; ${script}`);
    await discard(child);
    assert.deepEqual(await child.exited, end, script);
  }
});

contract(
  "exited does not wait for whoever holds the pipes; they end with the last of them",
  {},
  async (t) => {
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
  },
);

contract("stop: TERM ends the program and all it started", {}, async () => {
  const child = await sh("sleep 60 & (sleep 60; echo) & echo up; wait");
  const reader = child.stdout.getReader();
  await awaitText(reader, "up");
  assert.equal(child.stop("TERM"), true);
  assert.deepEqual(await child.exited, { code: null, signal: "SIGTERM" });
  // All of them held this pipe.
  assert.equal((await reader.read()).done, true);
  assert.equal(await textOf(child.stderr), "");
});

contract("stop: KILL forces what ignores TERM", {}, async () => {
  const child = await sh("trap '' TERM; sleep 60 & echo up; while :; do wait; done");
  const reader = child.stdout.getReader();
  await awaitText(reader, "up");
  assert.equal(child.stop("TERM"), true);
  assert.equal(child.stop("KILL"), true);
  assert.deepEqual(await child.exited, { code: null, signal: "SIGKILL" });
  assert.equal((await reader.read()).done, true);
  await child.stderr.cancel();
});

contract("stop: at once, before the program has got anywhere", {}, async () => {
  for (let round = 0; round < 10; round++) {
    for (const signal of ["TERM", "KILL"] as const) {
      const child = await sh("sleep 60");
      assert.equal(child.stop(signal), true);
      assert.deepEqual(await child.exited, { code: null, signal: `SIG${signal}` });
      await discard(child);
    }
  }
});

contract("stop: also what an ended program left behind", {}, async () => {
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

contract("no zombie is left, and no descriptor", { skip: needsProc }, async () => {
  const round = async (index: number) => {
    const child = await sh("cat; echo err >&2", {
      stdin: index % 3 === 0 ? encode(`${index}`) : index % 3 === 1 ? streamOf(`${index}`) : null,
    });
    const [output] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    assert.equal(output, index % 3 === 2 ? "" : `${index}`);
    assert.deepEqual(await child.exited, { code: 0, signal: null });
    await until(() => !existsSync(`/proc/${child.pid}`), "reaped");
  };
  // A launcher that is busy gets another one beside it; what leaks grows each time.
  await until(async () => {
    const before = descriptors().length;
    await Promise.all(Array.from({ length: 40 }, (_, index) => round(index)));
    return descriptors().length <= before;
  }, "no more descriptors");
});
