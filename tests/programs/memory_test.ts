/**
 * Bodies of any size pass through the server; they never pile up in it.
 *
 * Each test sends a body, looks at the most memory the server process has ever used, sends a larger body of the same
 * kind, and looks again. `HTBIN_FULL_SIZE=1` makes the large ones very large, and prints what was measured.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, cp, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { type RunningCommand, startCommand } from "../_command.ts";
import { connect, get, type RawConnection, requestHead, type Target, toLatin1 } from "../_http.ts";
import { temporaryFolder } from "./_command.ts";

const MEBIBYTE = 1024 * 1024;
const FULL_SIZE = process.env["HTBIN_FULL_SIZE"] === "1";
const DOWNLOAD = (FULL_SIZE ? 2048 : 512) * MEBIBYTE;
const OUTPUT = (FULL_SIZE ? 1024 : 256) * MEBIBYTE;
const ECHO = 32 * MEBIBYTE;
const LARGE_ECHO = (FULL_SIZE ? 512 : 128) * MEBIBYTE;

/** More than this is not noise of a garbage collector, but a body that is kept. In MiB. */
const ALLOWED = 64;

const skip = process.platform === "linux" ? false : "the memory of a process is read from /proc";

describe("the memory of the server", { skip }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  // One for each test: the most memory ever used would hide what comes later.
  let command: RunningCommand;
  let server: Target;

  before(async () => {
    folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    await cp("tests/programs/fixtures/memory", folder.path, { recursive: true });
    for (const [name, size] of [["small", 64 * MEBIBYTE], ["large", DOWNLOAD]] as const) {
      // Sparse: it has a size and takes no room.
      await writeFile(join(folder.path, name), "");
      await truncate(join(folder.path, name), size);
    }
  });
  beforeEach(async () => {
    command = await startCommand(["--cgi", "0", "--directory", folder.path]);
    server = command.address;
  });
  afterEach(async () => {
    await command.stop();
  });
  after(async () => {
    await folder.remove();
  });

  /** Measures what `large` takes beyond `small`. */
  async function assertFlat(
    what: string,
    small: () => Promise<unknown>,
    large: () => Promise<unknown>,
  ): Promise<void> {
    await small();
    const before = await peakMemory(command.pid);
    const started = performance.now();
    await large();
    const seconds = (performance.now() - started) / 1000;
    const peak = await peakMemory(command.pid);
    const measured = `${what}: ${peak.toFixed(0)} MiB at most, ${
      (peak - before).toFixed(0)
    } more than for the small one`;
    // deno-lint-ignore no-console
    if (FULL_SIZE) console.log(`${measured}; ${seconds.toFixed(1)} s`);
    assert.ok(peak - before < ALLOWED, measured);
  }

  it("stays flat while a large file is downloaded", async () => {
    await assertFlat(
      `a file of ${DOWNLOAD / MEBIBYTE} MiB`,
      () => download(server, "/small", 64 * MEBIBYTE),
      () => download(server, "/large", DOWNLOAD),
    );
  });

  it("stays flat while a script prints faster than the client reads", async () => {
    await assertFlat(
      `${OUTPUT / MEBIBYTE} MiB from a script, read in fits and starts`,
      () => download(server, `/cgi-bin/zeros.sh?${16 * MEBIBYTE}`, 16 * MEBIBYTE, 4 * MEBIBYTE),
      () => download(server, `/cgi-bin/zeros.sh?${OUTPUT}`, OUTPUT, OUTPUT / 16),
    );
  });

  it("stays flat while a body goes to a script and comes back, both at once", async () => {
    await assertFlat(
      `${ECHO / MEBIBYTE} MiB echoed`,
      () => echo(server, 4 * MEBIBYTE),
      () => echo(server, ECHO),
    );
    await assertFlat(
      `${LARGE_ECHO / MEBIBYTE} MiB echoed`,
      () => echo(server, 4 * MEBIBYTE),
      () => echo(server, LARGE_ECHO),
    );
  });
});

/** Reads a response of this size to its end; stops reading for a moment each time that `pauseEvery` bytes came. */
async function download(
  server: Target,
  path: string,
  size: number,
  pauseEvery = Infinity,
): Promise<void> {
  const connection = await connect(server);
  try {
    await connection.send(get(path, "Connection: close"));
    const head = await connection.head({ timeout: 30_000 });
    assert.equal(head.status, 200);
    const body = bodyReader(connection, head.framing === "chunked");
    let pauseAt = pauseEvery;
    while (body.length() < size) {
      await body.more();
      if (body.length() < pauseAt) continue;
      pauseAt += pauseEvery;
      connection.pause();
      // Long enough for a server that does not wait to read all that the script has to say.
      await new Promise((resume) => setTimeout(resume, 30));
      connection.resume();
    }
    assert.equal(body.length(), size);
  } finally {
    connection.close();
  }
}

/** Posts a body of this size in pieces; no piece is sent before the one before it has come back. */
async function echo(server: Target, size: number): Promise<void> {
  const connection = await connect(server);
  try {
    await connection.send(
      requestHead("POST", "/cgi-bin/echo.sh", `Content-Length: ${size}`, "Connection: close"),
    );
    const sent = createHash("sha256");
    const received = createHash("sha256");
    const piece = new Uint8Array(MEBIBYTE);
    let body: BodyReader | undefined;
    for (let at = 0; at < size; at += piece.length) {
      // Each piece is another one, so that none can stand in for another.
      new DataView(piece.buffer).setUint32(at / MEBIBYTE * 4 % piece.length, at + 1);
      sent.update(piece);
      const sending = connection.send(piece);
      body ??= bodyReader(
        connection,
        (await connection.head()).framing === "chunked",
        (data) => received.update(data),
      );
      while (body.length() < at + piece.length) await body.more();
      await sending;
    }
    assert.equal(body?.length(), size);
    assert.equal(received.digest("hex"), sent.digest("hex"));
  } finally {
    connection.close();
  }
}

/** The most memory that a process has ever had in use, in MiB. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}

interface BodyReader {
  /** Waits for bytes and takes them. */
  more(): Promise<void>;
  /** Bytes of the body so far. */
  length(): number;
}

/** Reads a body as it comes, so that this process keeps none of it either. */
function bodyReader(
  connection: RawConnection,
  chunked: boolean,
  use: (data: Uint8Array) => void = () => {},
): BodyReader {
  let total = 0;
  let inChunk = 0;
  let line = "";
  function take(data: Uint8Array): void {
    total += data.length;
    use(data);
  }
  function takeChunked(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      if (inChunk > 0) {
        const part = data.subarray(at, at + inChunk);
        inChunk -= part.length;
        at += part.length;
        take(part);
        continue;
      }
      // The line end after a chunk, then the line with the next one's size.
      line += toLatin1(data.subarray(at, ++at));
      const [found, digits] = /^(?:\r\n)?([0-9a-f]+)\r\n$/i.exec(line) ?? [];
      if (found === undefined || digits === undefined) continue;
      inChunk = parseInt(digits, 16);
      line = "";
    }
  }
  return {
    async more() {
      await connection.received(1, 30_000);
      const data = connection.take();
      if (chunked) takeChunked(data);
      else take(data);
    },
    length: () => total,
  };
}
