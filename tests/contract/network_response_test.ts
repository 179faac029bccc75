/** What `Network.listen` owes: responses reach the client whole, or visibly broken, never something in between. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Handler } from "../../src/handler.ts";
import { type BodySource, respond } from "../../src/response.ts";
import type { Bytes, OpenFile } from "../../src/runtime.ts";
import { connect, exchange, get, requestHead, type Target, toBytes, toLatin1 } from "../_http.ts";
import { runtime, temporaryDirectory } from "../_runtime.ts";
import { memoryFile } from "./_memory_file.ts";
import { promised, serving, within } from "./_serving.ts";

function answer(body: BodySource, headers: Record<string, string> = {}, status = 200): Handler {
  return () => respond(status, new Headers(headers), body);
}

/** A stream of these pieces, each when it is asked for; then its end, or the error. */
function streamOf(pieces: readonly string[], error?: Error): ReadableStream<Bytes> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece !== undefined) controller.enqueue(toBytes(piece));
      else if (error) controller.error(error);
      else controller.close();
    },
  });
}

test("listen() sends status, headers and body, and adds nothing but framing and Date", () =>
  serving(
    () => new Response(toBytes("Hello"), { status: 203, headers: { "x-one": "1" } }),
    async ({ target }) => {
      const response = await exchange(target, get("/"));
      assert.equal(response.status, 203);
      assert.equal(response.text, "Hello");
      assert.equal(response.complete, true);
      assert.equal(response.header("x-one"), "1");
      assert.equal(response.header("content-length"), "5");
      assert.ok(!Number.isNaN(Date.parse(response.header("date")!)));
      const known = ["x-one", "content-length", "date", "connection", "keep-alive", "vary"];
      const others = response.headers.filter(([name]) => !known.includes(name.toLowerCase()));
      assert.deepEqual(others, []);
    },
  ));

test("listen() says that text is text", () =>
  serving(() => new Response("Hello"), async ({ target }) => {
    const { headers } = await exchange(target, get("/"));
    const types = headers.filter(([name]) => name.toLowerCase() === "content-type");
    assert.deepEqual(types.map(([, value]) => value.toLowerCase()), ["text/plain;charset=utf-8"]);
  }));

test("listen() sends the reason phrase of the response", () =>
  serving(() => new Response(null, { status: 404, statusText: "Nowhere To Be Seen" }), async ({ target }) => {
    const { reason } = await exchange(target, get("/"));
    assert.equal(reason, "Nowhere To Be Seen");
  }));

test("listen() sends every Set-Cookie by itself", () => {
  const headers = new Headers();
  headers.append("set-cookie", "a=1; Path=/");
  headers.append("set-cookie", "b=2, 3");
  return serving(() => new Response(null, { headers }), async ({ target }) => {
    const { headers } = await exchange(target, get("/"));
    const cookies = headers.filter(([name]) => name.toLowerCase() === "set-cookie");
    assert.deepEqual(cookies.map(([, value]) => value), ["a=1; Path=/", "b=2, 3"]);
  });
});

test("listen() sends a response of which somebody has made a copy", () => {
  const copied = promised<string>();
  return serving(() => {
    const response = respond(200, new Headers(), streamOf(["one", "two"]));
    response.clone().text().then(copied.resolve);
    return response;
  }, async ({ target }) => {
    const response = await exchange(target, get("/"));
    assert.deepEqual([response.status, response.text, response.complete], [200, "onetwo", true]);
    assert.equal(await within(copied.promise, "the copy"), "onetwo");
  });
});

for (const body of ["caf\xe9", toBytes("body"), null, streamOf(["a"])]) {
  test(`listen() sends header values byte for byte as ISO 8859-1 (${Object.prototype.toString.call(body)})`, () =>
    serving(answer(body, { "x-name": "caf\xe9 \xff" }), async ({ target }) => {
      const response = await exchange(target, get("/"));
      assert.equal(response.header("x-name"), "caf\xe9 \xff");
    }));
}

for (
  const [what, make] of [
    ["a string", () => "caf\u00e9"],
    ["bytes", () => toBytes("caf\u00e9")],
    ["a file", () => ({ file: memoryFile("[caf\u00e9]"), offset: 1, length: 5 })],
    ["a stream", () => streamOf(["caf", "\u00e9"])],
    ["an empty string", () => ""],
    ["no bytes", () => new Uint8Array()],
    ["an empty file", () => ({ file: memoryFile(""), offset: 0, length: 0 })],
    ["an empty stream", () => streamOf([])],
    ["nothing", () => null],
  ] as const
) {
  test(`listen() sends ${what}`, () =>
    serving(() => respond(200, new Headers(), make()), async ({ target, errors }) => {
      const wanted = ["a string", "bytes", "a file", "a stream"].includes(what) ? "caf\u00e9" : "";
      const connection = await connect(target);
      for (let round = 0; round < 2; round++) {
        await connection.send(get("/"));
        const response = await connection.response();
        assert.equal(response.status, 200);
        assert.equal(response.text, wanted);
        if (what !== "a stream") {
          assert.equal(response.header("content-length"), String(toBytes(wanted).length));
        }
      }
      connection.close();
      assert.deepEqual(errors, []);
    }));
}

test("listen() keeps the Content-Length of a whole body", () =>
  serving(answer(streamOf(["abc"]), { "content-length": "3" }), async ({ target }) => {
    const response = await exchange(target, get("/"));
    assert.equal(response.header("content-length"), "3");
    assert.equal(response.text, "abc");
  }));

test("listen() keeps the Content-Length of a body that comes in pieces", () =>
  serving((_request) => {
    let piece = 0;
    const stream = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        controller.enqueue(new Uint8Array(1 << 20));
        if (++piece === 4) controller.close();
      },
    });
    return respond(200, new Headers({ "content-length": String(4 << 20) }), stream);
  }, async ({ target }) => {
    const response = await exchange(target, get("/"));
    assert.equal(response.body.length, 4 << 20);
    assert.equal(response.complete, true);
    assert.equal(response.header("content-length"), String(4 << 20));
  }));

for (const kind of ["bytes", "stream"] as const) {
  const make = (pieces: string[]) => kind === "bytes" ? toBytes(pieces.join("")) : streamOf(pieces);

  test(`listen() cuts a body of ${kind} that is longer than its Content-Length`, () =>
    serving(
      () => respond(200, new Headers({ "content-length": "5" }), make(["abcd", "efgh"])),
      async ({ target }) => {
        const connection = await connect(target);
        await connection.send(get("/"));
        const response = await connection.response();
        assert.equal(response.complete, true);
        assert.equal(response.text, "abcde");
        connection.close();
      },
    ));

  test(`listen() breaks the transfer of ${kind} that is shorter than its Content-Length`, () =>
    serving(
      () => respond(200, new Headers({ "content-length": "50" }), make(["abcd", "efgh"])),
      async ({ target }) => {
        const connection = await connect(target);
        await connection.send(get("/"));
        const response = await connection.response();
        assert.equal(response.complete, false);
        await connection.ended();
        connection.close();
      },
    ));
}

for (const pieces of [[], ["abc"], ["abc", "def"]]) {
  test(`listen() breaks the transfer when the body fails after ${pieces.length} pieces`, () =>
    serving(
      () => respond(200, new Headers(), streamOf(pieces, new Error("no more"))),
      async ({ target, failed }) => {
        const connection = await connect(target);
        await connection.send(get("/"));
        const response = await connection.response().catch(() => null);
        assert.notEqual(response?.complete, true);
        // What there was is not lost: it may say why.
        if (pieces.length > 0) assert.equal(response?.text, pieces.join(""));
        await connection.ended();
        assert.match(String(await within(failed, "onError")), /no more/);
        connection.close();
      },
    ));
}

test("listen() breaks the transfer of an HTTP/1.0 response visibly", () =>
  serving(() => respond(200, new Headers(), streamOf(["abc"], new Error("no more"))), async ({ target }) => {
    const connection = await connect(target);
    await connection.send("GET / HTTP/1.0\r\n\r\n");
    const response = await connection.response().catch(() => null);
    assert.notEqual(response?.complete, true);
    connection.close();
  }));

test("listen() sends the head before the first piece of the body is there", () => {
  const go = promised<void>();
  return serving(() =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await go.promise;
          controller.enqueue(toBytes("late"));
          controller.close();
        },
      }),
    ), async ({ target }) => {
    const connection = await connect(target);
    await connection.send(get("/"));
    assert.equal((await connection.head()).status, 200);
    go.resolve();
    await connection.received(4);
    connection.close();
  });
});

test("listen() sends each piece of a body as it comes", () => {
  const steps = [promised<void>(), promised<void>()];
  let step = 0;
  return serving(() =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          if (step === 2) return controller.close();
          await steps[step]!.promise;
          controller.enqueue(toBytes(`piece ${step++}`));
        },
      }, { highWaterMark: 0 }),
    ), async ({ target }) => {
    const connection = await connect(target);
    await connection.send(get("/"));
    steps[0]!.resolve();
    await connection.head();
    assert.match(toLatin1(await connection.received(7)), /piece 0/);
    steps[1]!.resolve();
    await connection.received(14);
    connection.close();
  });
});

for (const status of [204, 304]) {
  test(`listen() sends no body with ${status} and keeps the connection`, () =>
    serving(answer(null, { etag: '"x"' }, status), async ({ target }) => {
      const connection = await connect(target);
      for (let round = 0; round < 2; round++) {
        await connection.send(get("/"));
        const response = await connection.response();
        assert.equal(response.status, status);
        assert.equal(response.header("etag"), '"x"');
        if (status === 204) assert.equal(response.header("content-length"), null);
        assert.equal(response.header("transfer-encoding"), null);
      }
      connection.close();
    }));
}

for (
  const [what, make] of [
    ["a string", () => "Hello"],
    ["bytes", () => toBytes("Hello")],
    ["a file", () => ({ file: memoryFile("Hello"), offset: 0, length: 5 })],
    ["a stream", () => streamOf(["Hel", "lo"])],
    ["nothing", () => null],
  ] as const
) {
  test(`listen() answers HEAD without the body of ${what}, and with its length`, () =>
    serving(
      () => respond(200, new Headers({ "content-length": "5", "x-one": "1" }), make()),
      async ({ target }) => {
        const connection = await connect(target);
        for (let round = 0; round < 2; round++) {
          await connection.send(requestHead("HEAD", "/"));
          const response = await connection.response({ method: "HEAD" });
          assert.equal(response.status, 200);
          assert.equal(response.header("content-length"), "5");
          assert.equal(response.header("x-one"), "1");
          assert.notEqual(response.header("date"), null);
        }
        connection.close();
      },
    ));
}

test("listen() lets go of a file that it does not send", async () => {
  const file = memoryFile("Hello");
  await serving(() => respond(200, new Headers(), { file, offset: 0, length: 5 }), async ({ target }) => {
    await exchange(target, requestHead("HEAD", "/"));
    await within(file.closed, "close()");
  });
});

test("listen() lets go of a file once it is sent", async () => {
  const file = memoryFile("x".repeat(3 << 20));
  await serving(
    () => respond(200, new Headers(), { file, offset: 1, length: 2 << 20 }),
    async ({ target }) => {
      const response = await exchange(target, get("/"));
      assert.equal(response.body.length, 2 << 20);
      assert.equal(response.complete, true);
      await within(file.closed, "close()");
    },
  );
});

test("listen() sends files as they are to clients that read in fits and starts", async (t) => {
  const folder = await temporaryDirectory(t);
  const size = 12 * 1024 * 1024 + 3;
  // No two pieces are alike, so that none can stand in for another.
  const contents = [1, 2].map((seed) => {
    const numbers = new Uint32Array(Math.ceil(size / 4)).map((_, index) =>
      Math.imul(index * 2 + seed, 2654435761)
    );
    return new Uint8Array(numbers.buffer, 0, size);
  });
  const paths = await Promise.all(contents.map(async (content, index) => {
    const path = join(folder, String(index));
    await writeFile(path, content);
    return path;
  }));
  const handler: Handler = async (request) => {
    const file = await runtime.files.open(paths[Number(new URL(request.url).pathname.slice(1))]!);
    assert.ok(file !== null);
    return respond(200, new Headers(), { file, offset: 1, length: size - 1 });
  };
  async function download(target: Target, index: number): Promise<void> {
    const connection = await connect(target);
    await connection.send(get(`/${index}`, "Connection: close"));
    const head = await connection.head();
    assert.equal(head.header("content-length"), String(size - 1));
    let at = 1;
    for (let pauseAt = 0; at < size;) {
      await connection.received(1);
      const bytes = connection.take();
      assert.ok(
        Buffer.from(bytes).equals(contents[index]!.subarray(at, at + bytes.length)),
        `${index}: ${at}`,
      );
      at += bytes.length;
      if (at < pauseAt) continue;
      pauseAt = at + 3 * 1024 * 1024;
      connection.pause();
      // Until the server has no more room to write to.
      await new Promise((resolve) => setTimeout(resolve, 50));
      connection.resume();
    }
    connection.close();
  }
  for (const _ of ["once", "while the files are in memory"]) {
    await serving(handler, async ({ target }) => {
      await Promise.all([0, 1, 0, 1].map((index) => download(target, index)));
    });
  }
});

/** Counts turns of the event loop until it is told to stop. */
function countTurns(): { now(): number; stop(): void } {
  let turns = 0;
  let going = true;
  setImmediate(function turn() {
    turns++;
    if (going) setImmediate(turn);
  });
  return { now: () => turns, stop: () => void (going = false) };
}

const MUCH = 3 << 20;

/** What is asked for piece by piece, and tells of each that it is. */
const inPieces: Readonly<Record<string, (pieceSize: number, onPiece: () => void) => BodySource>> = {
  file(_pieceSize, onPiece) {
    const bytes = new Uint8Array(MUCH);
    const file: OpenFile = {
      ...memoryFile("x".repeat(MUCH)),
      readNow({ offset, length }) {
        onPiece();
        return bytes.subarray(offset, offset + length);
      },
    };
    return { file, offset: 0, length: MUCH };
  },
  stream(pieceSize, onPiece) {
    let left = MUCH;
    return new ReadableStream({
      pull(controller) {
        if (left <= 0) return controller.close();
        onPiece();
        controller.enqueue(new Uint8Array(pieceSize));
        left -= pieceSize;
      },
    }, { highWaterMark: 0 });
  },
};

for (const [kind, make] of Object.entries(inPieces)) {
  test(`listen() gives others a turn between two pieces of a ${kind}, whoever gets them`, async () => {
    const turns = countTurns();
    const turnsOf: number[][] = [];
    await serving(() => {
      const mine: number[] = [];
      turnsOf.push(mine);
      return respond(200, new Headers(), make(1 << 18, () => mine.push(turns.now())));
    }, async ({ target }) => {
      const responses = await Promise.all([exchange(target, get("/")), exchange(target, get("/"))]);
      assert.deepEqual(responses.map(({ body }) => body.length), [MUCH, MUCH]);
    });
    turns.stop();
    // Whether there is a second one at all is asked before the first is sent, and one more is made ahead.
    const later = turnsOf.flatMap((mine) => mine.slice(3));
    assert.ok(later.length >= 6, `${later.length} pieces`);
    assert.equal(new Set(later).size, later.length, "no two pieces in one turn");
  });
}

test("listen() sends many short pieces of a body in one turn, but not all of them", async () => {
  const turns = countTurns();
  const inTurn = new Map<number, number>();
  await serving(() =>
    respond(
      200,
      new Headers(),
      inPieces["stream"]!(1024, () => inTurn.set(turns.now(), (inTurn.get(turns.now()) ?? 0) + 1)),
    ), async ({ target }) => {
    const response = await exchange(target, get("/"));
    assert.equal(response.body.length, MUCH);
  });
  turns.stop();
  const most = Math.max(...inTurn.values());
  // What is sent in one turn, and what was asked for ahead.
  assert.ok(most > 4 && most <= 36, `${most} pieces in one turn`);
});

test("listen() breaks the transfer of a file that has changed, and lets go of it", async () => {
  const file = memoryFile("x".repeat(4 << 20), { changesAfter: 1 << 20 });
  await serving(
    () => respond(200, new Headers(), { file, offset: 0, length: 4 << 20 }),
    async ({ target, failed }) => {
      const connection = await connect(target);
      await connection.send(get("/"));
      const response = await connection.response().catch(() => null);
      assert.notEqual(response?.complete, true);
      assert.match(String(await within(failed, "onError")), /changed/);
      await within(file.closed, "close()");
      connection.close();
    },
  );
});

test("listen() cancels the body of a response to HEAD", () => {
  const cancelled = promised<void>();
  return serving(() =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(toBytes("x")),
        cancel: () => cancelled.resolve(),
      }),
    ), async ({ target }) => {
    await exchange(target, requestHead("HEAD", "/"));
    await within(cancelled.promise, "cancel()");
  });
});

test("listen() produces no more of a body than the client takes", () => {
  let produced = 0;
  return serving(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          produced += 1 << 16;
          controller.enqueue(new Uint8Array(1 << 16));
        },
      }),
    ), async ({ target }) => {
    const connection = await connect(target);
    connection.pause();
    await connection.send(get("/"));
    let last = -1;
    while (produced === 0 || last !== produced) {
      last = produced;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(produced < 64 << 20, `${produced} bytes were produced for a client that reads nothing`);
    connection.reset();
  });
});

test("listen() keeps a connection for the next request", () =>
  serving(() => new Response("Hello"), async ({ target }) => {
    const connection = await connect(target);
    for (let round = 0; round < 5; round++) {
      await connection.send(get("/"));
      const response = await connection.response();
      assert.equal(response.text, "Hello");
      assert.equal(response.header("content-length"), "5");
    }
    connection.close();
  }));

test("listen() closes the connection when either side wants it", () =>
  serving(() => new Response("Hello"), async ({ target }) => {
    const connection = await connect(target);
    await connection.send(get("/", "Connection: close"));
    assert.equal((await connection.response()).text, "Hello");
    assert.equal(await connection.ended(), "fin");
    connection.close();
  }));

test("listen() answers pipelined requests in their order", () =>
  serving(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/1") await new Promise((resolve) => setTimeout(resolve, 50));
    return new Response(pathname);
  }, async ({ target }) => {
    const connection = await connect(target);
    await connection.send(get("/1") + get("/2") + get("/3"));
    for (const path of ["/1", "/2", "/3"]) assert.equal((await connection.response()).text, path);
    connection.close();
  }));

test("listen() answers 500 for a handler that throws, and reports it", async () => {
  const throwing: Handler[] = [
    () => {
      throw new Error("broken handler");
    },
    () => Promise.reject(new Error("broken handler")),
  ];
  for (const handler of throwing) {
    await serving(handler, async ({ target, errors }) => {
      const response = await exchange(target, get("/"));
      assert.equal(response.status, 500);
      assert.equal(response.text, "");
      assert.equal(errors.length, 1);
      assert.match(String(errors[0]), /broken handler/);
    });
  }
});

test("listen() answers 404 where the handler passes a request on", () =>
  serving(() => undefined, async ({ target, errors }) => {
    const response = await exchange(target, get("/"));
    assert.equal(response.status, 404);
    assert.equal(response.text, "");
    assert.deepEqual(errors, []);
  }));

test("listen() answers 500 for what is no response, and reports it", async () => {
  const used = new Response("x");
  await used.text();
  for (const wrong of [{} as Response, "text" as unknown as Response, used, Response.error()]) {
    await serving(() => wrong, async ({ target, errors }) => {
      const response = await exchange(target, get("/"));
      assert.equal(response.status, 500);
      assert.equal(response.text, "");
      assert.equal(errors.length, 1);
      assert.ok(errors[0] instanceof Error);
    });
  }
});
