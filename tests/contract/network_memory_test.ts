/** What `Network.listen` owes: memory that is used again holds nothing any more that a client still waits for. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Handler } from "../../src/handler.ts";
import { lend, setLending } from "../../src/lent_bytes.ts";
import { type BodySource, respond } from "../../src/response.ts";
import type { Bytes } from "../../src/runtime.ts";
import { connect, get, type RawConnection, responseSlowly, turns } from "../_http.ts";
import { promised, serving } from "./_serving.ts";

const PIECE = 256 * 1024;
const LENGTH = 40 * PIECE;

/** Each four bytes say where they are. */
const CONTENT = new Uint8Array(Uint32Array.from({ length: LENGTH / 4 }, (_, index) => index).buffer);

/** A body of lent pieces that are overwritten as soon as they are given back. */
interface LentBody {
  readonly stream: ReadableStream<Bytes>;
  readonly counts: { made: number; returned: number };
}

function lentBody(size = LENGTH): LentBody {
  const counts = { made: 0, returned: 0 };
  const stream = new ReadableStream<Bytes>({
    pull(controller) {
      const at = counts.made++ * PIECE;
      if (at >= size) return controller.close();
      const piece = CONTENT.slice(at, at + PIECE);
      controller.enqueue(lend(piece, () => {
        counts.returned++;
        piece.fill(0xff);
      }));
    },
  }, { highWaterMark: 0 });
  return { stream: setLending(stream), counts };
}

/** A file that is read into the memory that it is given. */
function fileBody(size = LENGTH): BodySource {
  const close = () => Promise.resolve();
  const read = (at: number, length: number) => CONTENT.slice(at, at + length);
  const file = {
    info: { kind: "file" as const, size, mtimeMs: 0, identity: null },
    close,
    read: ({ offset, length }: { offset: number; length: number }) => Promise.resolve(read(offset, length)),
    readNow({ offset, length }: { offset: number; length: number }, memory: Bytes) {
      const piece = memory.subarray(0, length);
      piece.set(CONTENT.subarray(offset, offset + length));
      return piece;
    },
    // Not asked for.
    stream: () => new ReadableStream<Bytes>(),
  };
  return { file, offset: 0, length: size };
}

function answer(body: BodySource, fields: Record<string, string> = {}): Handler {
  return () => respond(200, new Headers(fields), body);
}

/** Takes the answer of a server that had to wait again and again. */
async function takeSlowly(connection: RawConnection): Promise<Uint8Array> {
  const { complete, body } = await responseSlowly(connection, { pause: 20, read: 2 });
  assert.equal(complete, true);
  return body;
}

/** Says where the first wrong byte is, in place of ten million right ones. */
function assertWhole(body: Uint8Array, size = LENGTH): void {
  const wrong = body.findIndex((byte, index) => byte !== CONTENT[index]);
  assert.equal(wrong, -1, `Byte ${wrong} of the body is ${body[wrong]}, not ${CONTENT[wrong]}`);
  assert.equal(body.length, size);
}

for (const [kind, fields] of [["chunks", {}], ["a length", { "content-length": String(LENGTH) }]] as const) {
  test(`listen() gives pieces back once the client's system has them (${kind})`, () => {
    const { stream, counts } = lentBody();
    return serving(answer(stream, fields), async ({ target }) => {
      const connection = await connect(target);
      await connection.send(get("/"));
      assertWhole(await takeSlowly(connection));
      assert.ok(counts.returned > 30, `${counts.returned} of ${counts.made} were given back`);
      connection.close();
    });
  });
}

test("listen() reads a file into memory that the client does not wait for any more", () =>
  serving(answer(fileBody()), async ({ target }) => {
    const connection = await connect(target);
    await connection.send(get("/"));
    assertWhole(await takeSlowly(connection));
    connection.close();
  }));

/** Requests that wait: the more, the surer one of them gets its turn while the socket can take no more. */
const LATER = 40;

/** So much is sent before the next gets its turn, and a server of which the client is slow has to wait. */
const SHORTER = 8 * PIECE;

for (
  const [kind, make] of [
    ["lent pieces", () => lentBody(SHORTER).stream],
    ["a file", () => fileBody(SHORTER)],
  ] as const
) {
  test(`listen() keeps ${kind} for a request whose turn has not come`, () => {
    const first = promised<Response>();
    const asked = promised<void>();
    const handler: Handler = (request) => {
      if (request.url.endsWith("/first")) return first.promise;
      asked.resolve();
      return respond(200, new Headers(), make());
    };
    return serving(handler, async ({ target }) => {
      const connection = await connect(target);
      await connection.send(get("/first") + get("/later").repeat(LATER));
      await Promise.race([asked.promise, turns(50)]);
      await turns(50);
      first.resolve(respond(200, new Headers(), make()));
      for (let left = 1 + LATER; left > 0; left--) assertWhole(await takeSlowly(connection), SHORTER);
      connection.close();
    });
  });
}

test("listen() gives nothing back of a stream that others have read as well", () => {
  const { stream, counts } = lentBody();
  const [one, other] = stream.tee();
  return serving(answer(one), async ({ target }) => {
    const connection = await connect(target);
    await connection.send(get("/"));
    assertWhole(await takeSlowly(connection));
    assert.equal(counts.returned, 0);
    assertWhole(new Uint8Array(await new Response(other).arrayBuffer()));
    connection.close();
  });
});
