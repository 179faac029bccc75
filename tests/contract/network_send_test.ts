/**
 * What `Network.listen` owes: a long body arrives as it is, whoever sends its pieces, and however little the client takes
 * at a time.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { sendPiece } from "../../adapters/shared/node_http/send_now.ts";
import { lend, setLending } from "../../src/lent_bytes.ts";
import { setReadNow } from "../../src/read_now.ts";
import { respond } from "../../src/response.ts";
import type { Bytes } from "../../src/runtime.ts";
import { chunk, concat, connect, get, responseSlowly, toBytes } from "../_http.ts";
import { serving } from "./_serving.ts";

const SIZES = [100_000, 5, 262_144, 16_384, 70_001];
const COUNT = 100;

function sizeOf(index: number): number {
  return SIZES[index % SIZES.length]!;
}

/** No two pieces are alike, and no part of one is like another. */
function fill(memory: Bytes, index: number): Bytes {
  const piece = memory.subarray(0, sizeOf(index));
  for (let at = 0; at < piece.length; at++) piece[at] = (at * 31 + (at >> 8) * 7 + index * 13) & 255;
  return piece;
}

function whole(): Bytes {
  return concat(Array.from({ length: COUNT }, (_, index) => fill(new Uint8Array(262_144), index)));
}

/** Pieces in memory that is used again; every third has to be waited for. */
function pieces(): { readonly stream: ReadableStream<Bytes>; readonly memories: () => number } {
  const spare: Bytes[] = [];
  let memories = 0;
  let at = 0;
  function next(): Bytes {
    const memory = spare.pop() ?? (memories++, new Uint8Array(262_144));
    // Whoever still looks at it sees something else.
    memory.fill(at & 255);
    return lend(fill(memory, at++), () => spare.push(memory));
  }
  const stream = new ReadableStream<Bytes>({
    async pull(controller) {
      await null;
      if (at === COUNT) controller.close();
      else controller.enqueue(next());
    },
  }, { highWaterMark: 0 });
  setReadNow(setLending(stream), () => at % 3 === 0 || at === COUNT ? null : next());
  return { stream, memories: () => memories };
}

const KINDS: Readonly<
  Record<string, { readonly request: string; readonly headers?: Record<string, string> }>
> = {
  "in chunks": { request: get("/") },
  "in chunks, the last on its connection": { request: get("/", "Connection: close") },
  "of a known length": { request: get("/"), headers: { "content-length": String(whole().length) } },
  "to HTTP/1.0": { request: "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n" },
};

for (const [kind, { request, headers = {} }] of Object.entries(KINDS)) {
  for (const isSlow of [false, true]) {
    test(`listen() sends pieces that are there at once ${kind}, to a ${isSlow ? "slow" : "fast"} client`, () => {
      const bodies: ReturnType<typeof pieces>[] = [];
      return serving(() => {
        const made = pieces();
        bodies.push(made);
        return respond(200, new Headers(headers), made.stream);
      }, async ({ target, errors }) => {
        const expected = whole();
        for (let round = 0; round < 2; round++) {
          const connection = await connect(target);
          await connection.send(request);
          const { complete, body } = isSlow
            ? await responseSlowly(connection, { pause: 10, read: 1 })
            : await connection.response();
          assert.ok(complete);
          assert.equal(body.length, expected.length);
          assert.ok(Buffer.compare(body, expected) === 0, "other bytes");
          connection.socket.destroy();
        }
        assert.deepEqual(errors, []);
        // What is little may be joined with others on its way, and is not given back.
        const most = COUNT / SIZES.length + 4;
        for (const { memories } of bodies) assert.ok(memories() <= most, `${memories()} pieces of memory`);
      });
    });
  }
}

test("a piece that a connection takes a part of arrives as one chunk", async () => {
  const piece = fill(new Uint8Array(262_144), 0).subarray(0, 20_000);
  for (const isChunk of [true, false]) {
    const wire = isChunk ? chunk(piece) : piece;
    for (const room of [0, 1, 5, 6, 7, 5_000, 20_005, 20_006, 20_007, 20_008, 30_000]) {
      const taken: Bytes[] = [];
      let left = room;
      const socket = {
        destroyed: false,
        writableLength: 0,
        once() {},
        off() {},
        write(bytes: Bytes, done?: () => void) {
          taken.push(bytes.slice());
          done?.();
        },
      };
      const send = (bytes: Uint8Array) => {
        const part = bytes.slice(0, left);
        left -= part.length;
        taken.push(part);
        // As the system says that it takes none.
        return part.length === 0 ? -1 : part.length;
      };
      const outgoing = { socket, writableLength: 0 } as unknown as ServerResponse;
      const sent = sendPiece(outgoing, () => send, piece, isChunk);
      assert.equal(sent === true, room >= wire.length);
      await sent;
      assert.deepEqual(concat(taken), wire, `room for ${room}`);
    }
  }
});

test("a piece is not sent before what was written", () => {
  const piece = toBytes("x".repeat(100_000));
  const send = () => assert.fail("sent");
  const idle = { destroyed: false, writableLength: 0 };
  for (
    const outgoing of [
      { socket: null, writableLength: 0 },
      { socket: idle, writableLength: 1 },
      { socket: { ...idle, writableLength: 1 }, writableLength: 0 },
      { socket: { ...idle, destroyed: true }, writableLength: 0 },
    ]
  ) {
    assert.equal(sendPiece(outgoing as unknown as ServerResponse, () => send, piece, true), null);
  }
});
