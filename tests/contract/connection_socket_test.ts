/** Deno's own connections as sockets of `node:http`: what is sent and read in which order, how much waits, and every end. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { test, type TestContext } from "node:test";
import { passBodies } from "../../adapters/shared/node_http/pass_bodies.ts";
import { requestHead } from "../_http.ts";
import { runtime, until } from "../_runtime.ts";

const skip = runtime.name === "deno" ? false : "only Deno has such connections";

const MIB = 1024 * 1024;

interface Pair {
  readonly socket: Duplex & { destroySoon(): void; resetAndDestroy(): void };
  readonly client: Socket;
}

/** Both ends of a connection. */
async function pair(t: TestContext): Promise<Pair> {
  const { ConnectionSocket } = await import("../../adapters/deno/connection_socket.ts");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = connectTcp({ host: "127.0.0.1", port: listener.addr.port, allowHalfOpen: true });
  const connected = once(client, "connect");
  const socket = new ConnectionSocket(await listener.accept());
  await connected;
  listener.close();
  // What goes wrong is told to those who ask.
  for (const end of [client, socket]) end.on("error", () => {});
  t.after(() => {
    client.destroy();
    socket.destroy();
  });
  return { socket, client };
}

/** Bytes of which each four say where they are. */
function numbered(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.from({ length: length / 4 }, (_, index) => index).buffer);
}

/** Pieces of many lengths, in turn. */
function* pieces(content: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < content.length;) {
    const piece = content.subarray(at, at + (at * 7 + 1) % 900_001);
    at += piece.length;
    yield piece;
  }
}

async function whole(stream: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => void pieces.push(piece));
  await once(stream, "end");
  return Buffer.concat(pieces);
}

test("what is written comes in its order, alone and together, small and large", { skip }, async (t) => {
  const { socket, client } = await pair(t);
  const content = numbered(8 * MIB);
  const received = whole(client);
  for (const piece of pieces(content)) {
    if (piece.length % 5 === 0) socket.cork();
    socket.write(piece);
    if (piece.length % 3 === 0) socket.uncork();
  }
  socket.end();
  assert.ok((await received).equals(content));
});

test("pieces that were read stay as they are", { skip }, async (t) => {
  const { socket, client } = await pair(t);
  const content = numbered(4 * MIB);
  const received = whole(socket);
  for (const piece of pieces(content)) {
    if (!client.write(piece)) await once(client, "drain");
  }
  client.end();
  assert.ok((await received).equals(content));
});

test("a paused one reads no more than a little, and all of it later", { skip }, async (t) => {
  const { socket, client } = await pair(t);
  let length = 0;
  socket.on("data", (piece: Buffer) => {
    length += piece.length;
    socket.pause();
  });
  client.end(numbered(32 * MIB));
  for (let before = -1; before !== socket.readableLength; await new Promise((done) => setTimeout(done, 50))) {
    before = socket.readableLength;
  }
  const waiting = length + socket.readableLength;
  assert.ok(waiting <= 256 * 1024, `${waiting} bytes were read`);
  socket.removeAllListeners("data");
  socket.on("data", (piece: Buffer) => void (length += piece.length));
  socket.resume();
  await once(socket, "end");
  assert.equal(length, 32 * MIB);
});

test("a client that has ended its side has its answer", { skip }, async (t) => {
  const { socket, client } = await pair(t);
  const received = whole(client);
  client.end("question");
  assert.equal((await whole(socket)).toString(), "question");
  socket.end("answer");
  assert.equal((await received).toString(), "answer");
  await until(() => socket.closed, "it is closed");
});

test("the end of a client that nobody reads closes it all the same", { skip }, async (t) => {
  const { socket, client } = await pair(t);
  socket.resume();
  socket.end("last");
  client.end();
  client.resume();
  await once(socket, "close");
});

test("destroySoon() sends what was written", { skip }, async (t) => {
  const { socket, client } = await pair(t);
  const content = numbered(8 * MIB);
  socket.write(content);
  socket.destroySoon();
  assert.ok((await whole(client)).equals(content));
  await until(() => socket.destroyed, "it is closed");
});

test("a client that resets it is told as an error", { skip }, async (t) => {
  const { socket, client } = await pair(t);
  socket.resume();
  const failed = once(socket, "error");
  client.resetAndDestroy();
  const [error] = await failed as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
  await until(() => socket.closed, "it is closed");
});

test(
  "destroyed while it reads and writes, it is closed, and nothing is left that fails",
  { skip },
  async (t) => {
    const { socket, client } = await pair(t);
    socket.resume();
    const callback = new Promise<Error | null | undefined>((resolve) =>
      socket.write(numbered(16 * MIB), resolve)
    );
    await once(client, "data");
    client.pause();
    socket.destroy();
    assert.ok(await callback instanceof Error);
    client.resume();
    await once(client, "end");
  },
);

test("reset, it is no proper end for its client", { skip }, async (t) => {
  const { socket, client } = await pair(t);
  socket.resume();
  client.resume();
  socket.write("a part");
  await once(client, "data");
  const failed = once(client, "error");
  socket.resetAndDestroy();
  const [error] = await failed as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
});

test("others are heard while a client sends faster than is read", { skip }, async (t) => {
  const { ConnectionSocket } = await import("../../adapters/deno/connection_socket.ts");
  const { useTurns } = await import("../../adapters/deno/turns.ts");
  t.after(useTurns());
  const end = performance.now() + 5_000;
  let hasEnded = false;
  const flood = {
    remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    localAddr: { transport: "tcp", hostname: "127.0.0.1", port: 2 },
    setNoDelay() {},
    read(room: Uint8Array) {
      hasEnded = performance.now() > end;
      return Promise.resolve(hasEnded ? null : room.length);
    },
    close() {},
  } as unknown as Deno.TcpConn;
  const { socket, client } = await pair(t);
  const heard = once(socket, "data");
  const flooded = new ConnectionSocket(flood);
  flooded.on("data", () => {});
  client.write("hello");
  await heard;
  assert.equal(hasEnded, false);
  flooded.destroy();
});

test("posted bodies leave nothing behind in a connection's parser", { skip }, async (t) => {
  const { socket, client } = await pair(t);
  // Whoever listens looks after the time himself.
  const http = createServer({ keepAliveTimeout: 0 }, (incoming, response) => {
    incoming.resume();
    incoming.on("end", () => response.end("taken"));
  });
  // Else it keeps no connection.
  Object.defineProperty(http, "listening", { value: true });
  passBodies(http, null);
  http.emit("connection", socket);
  const { parser } = socket as Duplex as Duplex & { readonly parser: Readonly<Record<number, unknown>> };
  const { kOnBody } = parser.constructor as unknown as { readonly kOnBody: number };
  const before = parser[kOnBody];
  for (let round = 0; round < 3; round++) {
    // The body begins together with its head.
    client.write(requestHead("POST", "/", "Content-Length: 500000") + "x".repeat(500_000));
    const [answer] = await once(client, "data") as [Buffer];
    assert.match(String(answer), /^HTTP\/1.1 200 OK/);
    assert.equal(parser[kOnBody], before);
  }
});
