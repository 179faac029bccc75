/** What `Network.listen` owes: a client that leaves is noticed, at once and by whoever works for it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { respond } from "../../src/response.ts";
import { connect, exchange, get, type RawConnection, requestHead, toBytes } from "../_http.ts";
import { runModule } from "../_runtime.ts";
import { memoryFile } from "./_memory_file.ts";
import { promised, serving, within } from "./_serving.ts";

const leave: Record<string, (connection: RawConnection) => void> = {
  "closes": (connection) => connection.close(),
  "resets": (connection) => connection.reset(),
};

/** A client that ends its side may still be there; one that would keep the connection is taken for gone. */
const beforeAnswer: Record<string, readonly [request: string, go: (connection: RawConnection) => void]> = {
  "closes": [get("/"), leave["closes"]!],
  "resets": [get("/"), leave["resets"]!],
  "ends its side": [get("/"), (connection) => connection.halfClose()],
  "that speaks HTTP/1.0, and would keep the connection, ends its side": [
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    (connection) => connection.halfClose(),
  ],
};

for (const [how, [request, go]] of Object.entries(beforeAnswer)) {
  test(`listen() aborts the signal when a client ${how} before it is answered`, () => {
    const arrived = promised<void>();
    const aborted = promised<void>();
    return serving(async (request) => {
      request.signal.addEventListener("abort", () => aborted.resolve());
      arrived.resolve();
      await aborted.promise;
      return new Response("nobody is there");
    }, async ({ target, errors }) => {
      const connection = await connect(target);
      await connection.send(request);
      await within(arrived.promise, "the request");
      go(connection);
      await within(aborted.promise, "abort");
      assert.deepEqual(errors, []);
    });
  });
}

for (const [how, go] of Object.entries(leave)) {
  test(`listen() cancels a silent body when a client ${how}`, () => {
    const cancelled = promised<void>();
    return serving(() =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(toBytes("first and last")),
          cancel: () => cancelled.resolve(),
        }),
      ), async ({ target, errors }) => {
      const connection = await connect(target);
      await connection.send(get("/"));
      await connection.head();
      go(connection);
      await within(cancelled.promise, "cancel()");
      assert.deepEqual(errors, []);
    });
  });

  test(`listen() cancels a body that the client does not take when it ${how}`, () => {
    const cancelled = promised<void>();
    return serving(() =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(1 << 16)),
          cancel: () => cancelled.resolve(),
        }),
      ), async ({ target, errors }) => {
      const connection = await connect(target);
      await connection.send(get("/"));
      await connection.head();
      connection.pause();
      go(connection);
      await within(cancelled.promise, "cancel()");
      assert.deepEqual(errors, []);
    });
  });
}

test("listen() cancels a body that has not begun when the client leaves", () => {
  const asked = promised<void>();
  const cancelled = promised<void>();
  return serving(() =>
    new Response(
      new ReadableStream({
        pull() {
          asked.resolve();
          return new Promise(() => {});
        },
        cancel: () => cancelled.resolve(),
      }),
    ), async ({ target }) => {
    const connection = await connect(target);
    await connection.send(get("/"));
    await within(asked.promise, "the first pull");
    connection.close();
    await within(cancelled.promise, "cancel()");
  });
});

test("listen() cancels the body of a response that comes after the client left", () => {
  const arrived = promised<void>();
  const cancelled = promised<void>();
  return serving(async (request) => {
    const aborted = promised<void>();
    request.signal.addEventListener("abort", () => aborted.resolve());
    arrived.resolve();
    await aborted.promise;
    return new Response(new ReadableStream({ cancel: () => cancelled.resolve() }));
  }, async ({ target }) => {
    const connection = await connect(target);
    await connection.send(get("/"));
    await within(arrived.promise, "the request");
    connection.close();
    await within(cancelled.promise, "cancel()");
  });
});

test("listen() lets go of a file when the client leaves", () => {
  const file = memoryFile("x".repeat(32 << 20));
  return serving(
    () => respond(200, new Headers(), { file, offset: 0, length: 32 << 20 }),
    async ({ target, errors }) => {
      const connection = await connect(target);
      connection.pause();
      await connection.send(get("/"));
      connection.reset();
      await within(file.closed, "close()");
      assert.deepEqual(errors, []);
    },
  );
});

test("listen() does not abort the signal of a request that is being answered", () => {
  const outcomes: boolean[] = [];
  return serving(async (request) => {
    await request.text();
    const { signal } = request;
    await new Promise((resolve) => setTimeout(resolve, 20));
    outcomes.push(signal.aborted);
    return new Response("fine");
  }, async ({ target }) => {
    const connection = await connect(target);
    for (let round = 0; round < 3; round++) {
      await connection.send(requestHead("POST", "/", "Content-Length: 2") + "xy");
      assert.equal((await connection.response()).text, "fine");
    }
    assert.deepEqual(outcomes, [false, false, false]);
    connection.close();
  });
});

test("listen() goes on after hundreds of clients that left", () => {
  let aborted = 0;
  const all = promised<void>();
  const total = 200;
  return serving((request) => {
    if (request.url.endsWith("/ok")) return new Response("fine");
    return new Promise<Response>((resolve) => {
      request.signal.addEventListener("abort", () => {
        if (++aborted === total) all.resolve();
        resolve(new Response("late"));
      });
    });
  }, async ({ target, errors }) => {
    const connections = await Promise.all(Array.from({ length: total }, () => connect(target)));
    await Promise.all(connections.map((connection) => connection.send(get("/"))));
    connections.forEach((connection, index) => index % 2 ? connection.close() : connection.reset());
    await within(all.promise, "abort");
    assert.equal((await exchange(target, get("/ok"))).text, "fine");
    assert.deepEqual(errors, []);
  });
});

test("listen() prints nothing of its own, whatever handlers and clients do", async () => {
  // The compiled tests have another extension.
  const extension = /\.[a-z]+$/.exec(import.meta.url)?.[0] ?? ".ts";
  const [program = "", ...args] = runModule(new URL(`./_network_program${extension}`, import.meta.url), []);
  const { stdout, stderr } = await promisify(execFile)(program, args);
  assert.equal(stderr, "");
  // Those that throw, fail, are too short, are no responses: and nobody who left.
  assert.equal(stdout, "6 failures\n");
});
