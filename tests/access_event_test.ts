/**
 * The event for a request: told at the end of its response, with what was really sent.
 */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { cgi } from "../src/cgi/mod.ts";
import type { Handler } from "../src/handler.ts";
import type { AccessEvent, LogEvent } from "../src/log/events.ts";
import { serve } from "../src/serve.ts";
import { staticFiles } from "../src/static/mod.ts";
import { connect, exchange, get, type Target } from "./_http.ts";
import "./_runtime.ts";

const UUID = /^[0-9a-f-]{36}$/;

interface Served extends Target {
  /** The next event that was not taken yet. */
  next(): Promise<AccessEvent>;
  /** How many there are that were not taken. */
  waiting(): number;
}

async function served(t: TestContext, handler: Handler, requestIds?: boolean): Promise<Served> {
  const events: AccessEvent[] = [];
  let wake = (): void => {};
  const server = await serve({
    port: 0,
    handler,
    log: Object.assign((event: LogEvent) => {
      if (event.type === "access") events.push(event);
      wake();
    }, requestIds === undefined ? {} : { requestIds }),
  });
  t.after(() => server.close(0));
  return {
    ...server.address,
    waiting: () => events.length,
    async next() {
      while (events.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return events.shift()!;
    },
  };
}

test("a response that was sent whole counts the bytes of its body", async (t) => {
  const target = await served(t, () => new Response("hello"));
  await exchange(target, get("/"));
  const { status, bytes, complete, script, pid, code, signal } = await target.next();
  assert.deepEqual({ status, bytes, complete, script, pid, code, signal }, {
    status: 200,
    bytes: 5,
    complete: true,
    script: null,
    pid: null,
    code: null,
    signal: null,
  });
  await exchange(target, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const head = await target.next();
  assert.deepEqual([head.bytes, head.complete], [0, true]);
});

test("a request has an identifier, and none is made for a log that shows none, unless somebody else was told", async (t) => {
  const files = () => staticFiles({ root: "tests" });
  const scripts = () => new Response("made");
  const none = await served(t, files(), false);
  await exchange(none, get("/access_event_test.ts"));
  assert.equal((await none.next()).requestId, "");
  const told = await served(t, scripts, false);
  await exchange(told, get("/"));
  assert.match((await told.next()).requestId, UUID);
  const usual = await served(t, files());
  await exchange(usual, get("/access_event_test.ts"));
  assert.match((await usual.next()).requestId, UUID);
});

test("the event waits for the end of the body, and so does the duration", async (t) => {
  const encoder = new TextEncoder();
  let end = (): void => {};
  const target = await served(t, () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(encoder.encode("first"));
          end = () => {
            controller.enqueue(encoder.encode("last"));
            controller.close();
          };
        },
      }),
    ));
  const client = await connect(target);
  await client.send(get("/", "Connection: close"));
  await client.head();
  const begun = performance.now();
  assert.equal(target.waiting(), 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(target.waiting(), 0);
  end();
  const event = await target.next();
  assert.deepEqual([event.bytes, event.complete], [9, true]);
  assert.ok(event.durationMs >= 15 && event.durationMs <= performance.now() - begun + 1000);
  client.close();
});

test("a client that leaves halfway has had a part", async (t) => {
  const size = 256 * 1024 * 1024;
  const piece = new Uint8Array(1024 * 1024);
  const target = await served(t, () => {
    let left = size;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(piece);
        left -= piece.length;
        if (left === 0) controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body, { headers: { "content-length": String(size) } });
  });
  const client = await connect(target);
  await client.send(get("/"));
  await client.received(1024 * 1024);
  client.reset();
  const event = await target.next();
  assert.deepEqual([event.status, event.complete], [200, false]);
  assert.ok(event.bytes !== null && event.bytes >= 1024 * 1024 && event.bytes < size, `${event.bytes} bytes`);
});

test("a client that leaves before there is a response is 499", async (t) => {
  let answer = (_response: Response): void => {};
  let asked = (): void => {};
  const called = new Promise<void>((resolve) => asked = resolve);
  const target = await served(t, (request) => {
    const left = new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
    const response = new Promise<Response>((resolve) => answer = resolve);
    left.then(() => answer(new Response("too late")));
    asked();
    return response;
  });
  const client = await connect(target);
  await client.send(get("/"));
  await called;
  client.reset();
  const event = await target.next();
  assert.deepEqual([event.status, event.bytes, event.complete], [499, 0, false]);
});

test("a body that fails is not complete", async (t) => {
  const target = await served(t, () => {
    let isFirst = true;
    const body = new ReadableStream({
      async pull(controller) {
        if (!isFirst) throw new Error("disk gone");
        isFirst = false;
        controller.enqueue(new Uint8Array(10));
        await null;
      },
    }, { highWaterMark: 0 });
    return new Response(body, { headers: { "content-length": "20" } });
  });
  const client = await connect(target);
  await client.send(get("/"));
  await client.ended();
  const event = await target.next();
  assert.equal(event.complete, false);
  assert.ok(event.bytes !== null && event.bytes <= 10);
});

for (
  const [how, tail, code, signal] of [
    ["well", "exit 0", 0, null],
    ["with a status", "exit 3", 3, null],
    ["by a signal", "kill -9 $$", null, "SIGKILL"],
    ["a moment after its last byte", "exec 1>&-; sleep 0.05; exit 4", 4, null],
  ] as const
) {
  test(`a script that ends ${how} is named, with its end`, async (t) => {
    const source = `printf 'Content-Type: text/plain\\nContent-Length: 2\\n\\nok'; ${tail}`;
    const target = await served(t, cgi({ script: "/bin/sh", args: ["-c", source], user: null, log() {} }));
    const client = await connect(target);
    await client.send(get("/"));
    const event = await target.next();
    assert.equal(event.script, "/bin/sh");
    assert.ok(event.pid !== null && event.pid > 1);
    assert.deepEqual([event.code, event.signal], [code, signal]);
    client.close();
  });
}
