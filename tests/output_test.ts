/**
 * Text on its way to a slow reader: what is written at once, and that nothing of it is lost or torn.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { setImmediate } from "node:timers";
import { output, type Sink } from "../adapters/shared/output.ts";
import "./_runtime.ts";

/** What a pipe takes whole. */
const PIPE_BUF = 4096;

interface Reader extends Sink {
  readonly writes: Uint8Array[];
  text(): string;
}

/** Takes so many bytes of each write. */
function reader(most = Infinity): Reader {
  const writes: Uint8Array[] = [];
  return {
    writes,
    text: () => new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(writes)),
    write(bytes) {
      writes.push(bytes.slice(0, most));
      return Math.min(bytes.length, most);
    },
  };
}

for (
  const [what, letter] of [["ASCII", "a"], ["two bytes", "é"], ["three bytes", "☃"], [
    "four bytes",
    "🎈",
  ]] as const
) {
  test(`whole lines are written, no more than a pipe takes at once: ${what}`, async () => {
    const sink = reader();
    const { log, flush } = output(sink);
    let all = "";
    for (let number = 0; number < 1000; number++) {
      const line = `${number} ${letter.repeat(number % 97)}\n`;
      all += line;
      log(line);
    }
    await flush(10_000);
    assert.equal(sink.text(), all);
    for (const bytes of sink.writes) {
      assert.ok(bytes.length <= PIPE_BUF, `${bytes.length} bytes`);
      assert.equal(bytes.at(-1), 10, "ends with a line");
    }
    // As few as can be, but for what is lost where a line does not fit any more.
    assert.ok(
      sink.writes.length <= Math.ceil(Buffer.byteLength(all) / (PIPE_BUF / 2)),
      `${sink.writes.length} writes`,
    );
  });
}

test("a line that is longer is written as it is, and those around it apart", async () => {
  const sink = reader();
  const { log, flush } = output(sink);
  const long = `${"☃".repeat(3000)}\n`;
  for (const line of ["one\n", long, "two\n"]) log(line);
  await flush(10_000);
  assert.equal(sink.text(), `one\n${long}two\n`);
  assert.ok(sink.writes.some((bytes) => bytes.length === Buffer.byteLength(long)));
});

test("a reader who takes a few bytes at a time gets all of it", async () => {
  const sink = reader(7);
  const { log, write, flush } = output(sink);
  log("ä line\n");
  const written = write("a text ☃\n");
  for (let number = 0; number < 100; number++) log(`line ${number} é\n`);
  await written;
  await flush(10_000);
  const lines = Array.from({ length: 100 }, (_, number) => `line ${number} é\n`).join("");
  assert.equal(sink.text(), `ä line\na text ☃\n${lines}`);
});

test("a reader who takes his time has each piece as it was when it came", async () => {
  const taken: string[] = [];
  const { log, flush } = output({
    async write(bytes) {
      await new Promise((resolve) => setImmediate(resolve));
      taken.push(new TextDecoder().decode(bytes));
      return bytes.length;
    },
  });
  for (let number = 0; number < 5; number++) {
    log(`line ${number}\n`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await flush(10_000);
  assert.equal(taken.join(""), "line 0\nline 1\nline 2\nline 3\nline 4\n");
});

test("what waits at the end of the process is written then", () => {
  const sink = reader();
  const { log, flushNow } = output(sink);
  for (let number = 0; number < 1000; number++) log(`line ${number} ☃\n`);
  flushNow();
  assert.equal(sink.text(), Array.from({ length: 1000 }, (_, number) => `line ${number} ☃\n`).join(""));
  assert.ok(sink.writes.every((bytes) => bytes.length <= PIPE_BUF && bytes.at(-1) === 10));
});
