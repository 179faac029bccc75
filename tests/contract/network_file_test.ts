/**
 * What `Network.listen` owes for files that are larger than all buffers between two ends: where the system moves them, the
 * client gets the same bytes as where they are read, and one that has changed meanwhile never looks whole.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, openSync, truncateSync, writeSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test, type TestContext } from "node:test";
import type { Sent } from "../../src/handler.ts";
import { respond } from "../../src/response.ts";
import type { Bytes, ByteSpan, OpenFile } from "../../src/runtime.ts";
import { exchange, get, type Target, turns } from "../_http.ts";
import { runtime, temporaryDirectory } from "../_runtime.ts";
import { promised, serving, within } from "./_serving.ts";

const MIB = 1024 * 1024;

/** More than is read in any case at the end of a file. */
const LENGTH = 52 * MIB + 3;

/** Each four bytes say where they are. */
const CONTENT = new Uint8Array(
  Uint32Array.from({ length: Math.ceil(LENGTH / 4) }, (_, index) => index).buffer,
  0,
  LENGTH,
);

/** Bytes that no four of the content begin with. */
const OTHER = new Uint8Array(LENGTH).fill(0xff);

/** A large file that is sent. */
interface Large {
  readonly path: string;
  /** What the client asks for is this much of it. */
  span: ByteSpan;
  /** How many bytes of it the system has moved. */
  moved: number;
  /** Called when its last bytes have been read. */
  onLast(): void;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
  readonly sent: Promise<Sent>;
}

/** Serves a large file; any other path says that the server is well. */
async function servingLarge(
  t: TestContext,
  use: (target: Target, large: Large) => Promise<void>,
): Promise<void> {
  const path = join(await temporaryDirectory(t), "large");
  await writeFile(path, CONTENT);
  const closed = promised<void>();
  const sent = promised<Sent>();
  const large: Large = {
    path,
    span: { offset: 0, length: LENGTH },
    moved: 0,
    onLast() {},
    closed: closed.promise,
    sent: sent.promise,
  };
  await serving(async (request, connection) => {
    if (!request.url.endsWith("/large")) return new Response("well");
    const file = await runtime.files.open(path);
    assert.ok(file !== null);
    connection?.onSent?.(sent.resolve);
    return respond(200, new Headers(), { file: watched(file, large, closed.resolve), ...large.span });
  }, ({ target }) => use(target, large));
}

function watched(file: OpenFile, large: Large, onClosed: () => void): OpenFile {
  function note<T extends Bytes | null>(bytes: T, { offset, length }: ByteSpan): T {
    if (bytes !== null && offset + length === large.span.offset + large.span.length) large.onLast();
    return bytes;
  }
  return {
    ...file,
    read: async (span, into) => note(await file.read(span, into), span),
    readNow: (span, into) => note(file.readNow!(span, into), span),
    moveNow(span, transfer) {
      const moved = file.moveNow!(span, transfer);
      large.moved += moved;
      return moved;
    },
    close: () => file.close().then(onClosed),
  };
}

/** A body that is being taken, compared with what it should be. */
interface Download {
  readonly socket: Socket;
  /** How much of it has come. */
  length: number;
  /** Where it is another than the file was; `-1`: nowhere. */
  wrongAt: number;
  readonly ended: Promise<unknown>;
}

async function download(target: Target, { offset }: ByteSpan, connection = "close"): Promise<Download> {
  const socket = connect(target.port, target.hostname);
  const ended = once(socket, "close");
  ended.catch(() => {});
  socket.on("error", () => {});
  const state: Download = { socket, length: 0, wrongAt: -1, ended };
  let head = Buffer.alloc(0);
  let hasHead = false;
  function take(bytes: Uint8Array): void {
    const at = offset + state.length;
    if (
      state.wrongAt < 0 &&
      !Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).equals(
        CONTENT.subarray(at, at + bytes.length),
      )
    ) {
      state.wrongAt = at;
    }
    state.length += bytes.length;
  }
  socket.on("data", (bytes: Buffer) => {
    if (hasHead) return take(bytes);
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    hasHead = true;
    take(head.subarray(end + 4));
  });
  await once(socket, "connect");
  socket.write(get("/large", `Connection: ${connection}`));
  return state;
}

/** Takes it so slowly that the server has to wait for room all the time, for as long as this holds. */
async function takeSlowly({ socket }: Download, goesOn: () => boolean): Promise<void> {
  while (goesOn() && !socket.destroyed) {
    socket.pause();
    await turns(5);
    socket.resume();
    await turns(1);
  }
}

/** Other content of the same length, without a moment at which it is shorter. */
function overwrite(path: string): void {
  const file = openSync(path, "r+");
  writeSync(file, OTHER, 0, LENGTH, 0);
  closeSync(file);
}

let moved = 0;
const movesFiles = runtime.name !== "node" && process.platform === "linux";

for (const [speed, isSlow] of [["fast", false], ["slow", true]] as const) {
  for (
    const [what, span] of [
      ["a file", { offset: 0, length: LENGTH }],
      ["a part of one", { offset: 1234567, length: LENGTH - 2345678 }],
    ] as const
  ) {
    test(`listen() sends ${what} to a ${speed} client, every byte in its place`, (t) =>
      servingLarge(t, async (target, large) => {
        large.span = span;
        const body = await download(target, span);
        if (isSlow) await takeSlowly(body, () => body.length < span.length);
        await body.ended;
        assert.deepEqual([body.length, body.wrongAt], [span.length, -1]);
        assert.deepEqual(await large.sent, { begun: true, bytes: span.length, complete: true });
        await within(large.closed, "close()");
        moved += large.moved;
      }));
  }
}

test("listen() has had the system move much of that, where it can", () => {
  // Node has no call for it.
  assert.equal(moved > 0, movesFiles, `${moved} bytes were moved`);
});

test("listen() breaks a file off that was written over or cut while it was sent", async (t) => {
  for (const change of [overwrite, (path: string) => truncateSync(path, 9)]) {
    await servingLarge(t, async (target, large) => {
      const body = await download(target, large.span);
      while (body.length === 0) await turns(1);
      body.socket.pause();
      await turns(20);
      change(large.path);
      body.socket.resume();
      await body.ended;
      assert.ok(body.length < LENGTH, "it looks whole");
      assert.equal((await large.sent).complete, false);
      await within(large.closed, "close()");
    });
  }
});

test("listen() has sent nothing of a whole file that may still change", (t) =>
  servingLarge(t, async (target, large) => {
    const body = await download(target, large.span);
    let isRead = false;
    large.onLast = () => {
      isRead = true;
      overwrite(large.path);
    };
    await takeSlowly(body, () => !isRead);
    body.socket.resume();
    await body.ended;
    assert.deepEqual([isRead, body.length, body.wrongAt], [true, LENGTH, -1]);
  }));

test("listen() goes on when the client of a large file leaves", (t) =>
  servingLarge(t, async (target, large) => {
    const body = await download(target, large.span);
    while (body.length < 4 * MIB) await turns(1);
    body.socket.pause();
    await turns(20);
    body.socket.resetAndDestroy();
    const { bytes, complete } = await large.sent;
    assert.equal(complete, false);
    assert.ok(bytes >= 4 * MIB && bytes < LENGTH, `${bytes} bytes`);
    await within(large.closed, "close()");
    assert.equal((await exchange(target, get("/"))).text, "well");
  }));

test("listen() answers the next request after a large file", (t) =>
  servingLarge(t, async (target, large) => {
    const body = await download(target, large.span, "keep-alive");
    while (body.length < LENGTH) await turns(1);
    assert.equal(body.wrongAt, -1);
    body.socket.removeAllListeners("data");
    const answered = once(body.socket, "data");
    body.socket.write(get("/"));
    assert.match(String((await answered)[0]), /^HTTP\/1\.1 200 OK\r\n[^]*well$/);
    body.socket.destroy();
  }));
