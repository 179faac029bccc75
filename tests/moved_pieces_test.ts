import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { describe, it } from "node:test";
import { filePieces } from "../adapters/shared/pieces.ts";
import type { OpenFile } from "../src/runtime.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** How much is asked for at a time of a file that the system moves, each in so many milliseconds. */
async function moved(sizeMib: number, ms: number, share = 1): Promise<readonly number[]> {
  const asked: number[] = [];
  const file = {
    read: ({ length }) => Promise.resolve(new Uint8Array(length)),
    close: () => Promise.resolve(),
    moveNow: ({ length }) => {
      const until = performance.now() + ms;
      while (performance.now() < until);
      asked.push(length);
      return length * share;
    },
  } as Partial<OpenFile> as OpenFile;
  const pieces = filePieces({ file, offset: 0, length: sizeMib * MIB });
  await pieces.next();
  while (pieces.move!(() => 0) > 0);
  return asked;
}

describe("what the system moves of a file at once", () => {
  it("is more as long as it is quick", async () => {
    const asked = await moved(1024, 0);
    assert.equal(asked[0], 256 * KIB);
    assert.equal(Math.max(...asked), 2 * MIB);
  });

  it("is no more where it is slow", async () => {
    assert.equal(Math.max(...await moved(60, 0.3)), 256 * KIB);
  });

  it("is no more where the client takes less", async () => {
    assert.equal(Math.max(...await moved(60, 0, 0.5)), 256 * KIB);
  });

  it("ends before the last of the file, which is read", async () => {
    const asked = await moved(100, 0);
    const left = 100 * MIB - asked.reduce((sum, length) => sum + length);
    assert.ok(left >= 40 * MIB, `${left} bytes are left`);
  });
});
