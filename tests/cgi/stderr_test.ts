/** A script's standard error, line by line. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readStderr, type StderrReader } from "../../src/cgi/stderr.ts";

interface Heard {
  readonly reader: StderrReader;
  readonly lines: string[];
  limits: number;
}

function listen(pieces: readonly (string | Uint8Array<ArrayBuffer>)[], limit = Infinity): Heard {
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const piece of pieces) {
        controller.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
      }
      controller.close();
    },
  });
  return hear(stream, limit);
}

function hear(stream: ReadableStream<Uint8Array<ArrayBuffer>>, limit = Infinity): Heard {
  const lines: string[] = [];
  const heard = {
    lines,
    limits: 0,
    reader: readStderr(stream, {
      limit,
      onLine: (line) => void lines.push(line),
      onLimit: () => void (heard.limits += 1),
    }),
  };
  return heard;
}

async function linesOf(...pieces: (string | Uint8Array<ArrayBuffer>)[]): Promise<readonly string[]> {
  const { reader, lines } = listen(pieces);
  await reader.done;
  return lines;
}

describe("readStderr()", () => {
  it("splits lines, with either line end, and keeps a last one without", async () => {
    assert.deepEqual(await linesOf("a\nb\r\n\nc"), ["a", "b", "", "c"]);
    assert.deepEqual(await linesOf("a\n"), ["a"]);
    assert.deepEqual(await linesOf(), []);
  });

  it("joins what was written in pieces, characters too", async () => {
    assert.deepEqual(await linesOf("a", "b\nc", "", "d\ne"), ["ab", "cd", "e"]);
    const euro = new TextEncoder().encode("10 \u20ac\n");
    assert.deepEqual(await linesOf(euro.slice(0, 4), euro.slice(4)), ["10 \u20ac"]);
  });

  it("replaces what is not UTF-8", async () => {
    assert.deepEqual(await linesOf(Uint8Array.of(0x61, 0xff, 0x0a)), ["a\ufffd"]);
  });

  it("cuts a long line into pieces", async () => {
    const lines = await linesOf("x".repeat(10_000), "x".repeat(10_000) + "\ny");
    assert.deepEqual(lines.map((line) => line.length), [8192, 8192, 3616, 1]);
  });

  it("hands on no more than its limit, and says so once", async () => {
    const heard = listen(["abc\n", "defgh\n", "ijk\n"], 6);
    await heard.reader.done;
    assert.deepEqual(heard.lines, ["abc", "de"]);
    assert.equal(heard.limits, 1);
  });

  it("says nothing where the limit is met and not passed", async () => {
    const heard = listen(["abc\n", "de\n"], 7);
    await heard.reader.done;
    assert.deepEqual([heard.lines, heard.limits], [["abc", "de"], 0]);
  });

  it("goes on reading beyond the limit, so that the writer does not block", async () => {
    let pulls = 0;
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (pulls++ < 1000) controller.enqueue(new Uint8Array(1024).fill(0x61));
        else controller.close();
      },
    }, { highWaterMark: 0 });
    const heard = hear(stream, 10);
    await heard.reader.done;
    assert.equal(pulls, 1001);
    assert.deepEqual(heard.lines, ["a".repeat(10)]);
  });

  it("keeps the last lines", async () => {
    const { reader } = listen([Array.from({ length: 50 }, (_, index) => `${index}\n`).join("")]);
    await reader.done;
    assert.deepEqual(reader.tail(), Array.from({ length: 20 }, (_, index) => `${index + 30}`));
  });

  it("can be closed while nothing comes, and then is done", async () => {
    let cancelled = false;
    const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({
      cancel() {
        cancelled = true;
      },
    });
    const { reader } = hear(silent);
    reader.close();
    await reader.done;
    assert.equal(cancelled, true);
  });

  it("takes a pipe that fails for one that ended", async () => {
    const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("last words"));
      },
      pull(controller) {
        controller.error(new Error("gone"));
      },
    });
    const { reader, lines } = hear(broken);
    await reader.done;
    assert.deepEqual(lines, ["last words"]);
  });
});
