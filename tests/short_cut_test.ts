/**
 * Requests that are byte for byte ones that were there before: answered like any other, whatever comes before them, with
 * them and after them. Without TLS, they pass by the parser.
 */

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test, type TestContext } from "node:test";
import type { PreparedResponse, RequestHead } from "../src/at_once.ts";
import type { Begun, Connection, Handler } from "../src/handler.ts";
import type { LogEvent } from "../src/log/events.ts";
import { route } from "../src/router.ts";
import { serve, type Server } from "../src/serve.ts";
import { staticFiles } from "../src/static/mod.ts";
import { countingFiles } from "./_counting_files.ts";
import { connect, get, type RawConnection, requestHead } from "./_http.ts";
import { pick, randomNumbers } from "./_random.ts";
import { runtime, temporaryDirectory, until } from "./_runtime.ts";

const OLD = new Date("2024-01-02T03:04:05Z");
const LARGE = 200 * 1024;

interface Site {
  readonly server: Server;
  readonly directory: string;
  readonly events: LogEvent[];
  connect(): Promise<RawConnection>;
}

/** Files of which the answers are at hand, and what takes a body, or its time. */
async function start(t: TestContext): Promise<Site> {
  const directory = await temporaryDirectory(t);
  for (const [name, content] of Object.entries({ a: "of a", b: "of b, more", large: "x".repeat(LARGE) })) {
    writeFileSync(join(directory, name), content);
    utimesSync(join(directory, name), OLD, OLD);
  }
  // They look older than they are, so that they are kept at once.
  const fileSystem = countingFiles(10_000);
  const events: LogEvent[] = [];
  const server = await serve({
    port: 0,
    handler: route([
      ["/echo", async (request) => new Response(await request.text())],
      ["/slow", () => new Promise((resolve) => setImmediate(() => resolve(new Response("slow"))))],
      ["/*", staticFiles({ root: directory, fileSystem, memory: { maxFileBytes: LARGE } })],
    ]),
    log: (event) => void events.push(event),
  });
  const open: RawConnection[] = [];
  t.after(async () => {
    for (const connection of open) connection.close();
    await server.close(0);
  });
  return {
    server,
    directory,
    events,
    async connect() {
      const connection = await connect(server.address);
      open.push(connection);
      return connection;
    },
  };
}

/** Asks until the answer comes from memory, and the request is known. */
async function ask(connection: RawConnection, request: string, times = 1): Promise<string[]> {
  const answers: string[] = [];
  const method = request.split(" ", 1)[0]!;
  for (let time = 0; time < times; time++) {
    await connection.send(request);
    const { head, text, status, statusLine } = await connection.response({ method });
    assert.ok(status === 200 || status === 304, statusLine);
    answers.push(head.replace(/^date: .*$/im, "date") + text);
  }
  return answers;
}

test("the same bytes have the same answer each time", async (t) => {
  const { connect, events, server } = await start(t);
  const connection = await connect();
  const [first] = await ask(connection, get("/a"));
  const tag = /^etag: (.*)$/im.exec(first!)![1]!;
  const modified = /^last-modified: (.*)$/im.exec(first!)![1]!;
  const requests = [
    get("/a"),
    get("/b", "Connection: keep-alive"),
    get("/large"),
    get("/a", "Range: bytes=1-2"),
    requestHead("HEAD", "/a"),
    get("/a", `If-None-Match: ${tag}`),
    get("/b", `If-Modified-Since: ${modified}`),
  ];
  for (const request of requests.filter((request) => !request.includes("Range"))) {
    const answers = await ask(connection, request, 6);
    assert.equal(new Set(answers).size, 1, answers.join("\n---\n"));
    assert.match(answers[0]!, /\nconnection: keep-alive\r\n/i);
  }
  for (let time = 0; time < 3; time++) {
    await connection.send(requests[3]!);
    assert.equal((await connection.response()).text, "f ");
  }
  connection.close();
  await server.close();
  const logged = events.map((event) =>
    event.type === "access" && `${event.status} ${event.bytes} ${event.complete}`
  );
  assert.deepEqual(logged, [
    ...Array(7).fill("200 4 true"),
    ...Array(6).fill("200 10 true"),
    ...Array(6).fill(`200 ${LARGE} true`),
    ...Array(6).fill("200 0 true"),
    ...Array(12).fill("304 0 true"),
    ...Array(3).fill("206 2 true"),
  ]);
});

test("they pass by the parser, and the first one of a connection does not", {
  skip: runtime.name === "node" ? false : "only Node tells what it parses",
}, async (t) => {
  const { connect } = await start(t);
  const parsed: string[] = [];
  const count = (message: unknown) =>
    void parsed.push((message as { readonly request: { readonly url: string } }).request.url);
  subscribe("http.server.request.start", count);
  t.after(() => unsubscribe("http.server.request.start", count));
  const connection = await connect();
  await ask(connection, get("/a"), 10);
  assert.deepEqual(parsed.splice(0), ["/a"]);
  await ask(connection, get("/a", "Cookie: a=b"), 10);
  assert.deepEqual(parsed.splice(0), ["/a"]);
  const another = await connect();
  // The first one on a connection is the parser's, which measures the time until then.
  await ask(another, get("/a"), 10);
  assert.deepEqual(parsed.splice(0), ["/a"]);
  await ask(another, get("/b", `Cookie: ${"x".repeat(5000)}`), 3);
  assert.deepEqual(parsed.splice(0), ["/b", "/b", "/b"]);
});

test("a changed file, another in its place, and none: known at once", async (t) => {
  const { connect, directory } = await start(t);
  const connection = await connect();
  await ask(connection, get("/a"), 5);
  writeFileSync(join(directory, "a"), "anew");
  assert.match((await ask(connection, get("/a")))[0]!, /anew$/);
  utimesSync(join(directory, "a"), OLD, OLD);
  await ask(connection, get("/a"), 5);
  renameSync(join(directory, "b"), join(directory, "a"));
  assert.match((await ask(connection, get("/a")))[0]!, /of b, more$/);
  await ask(connection, get("/a"), 5);
  rmSync(join(directory, "a"));
  await connection.send(get("/a"));
  assert.equal((await connection.response()).status, 404);
});

test("a body that looks like a known request is a body", async (t) => {
  const { connect } = await start(t);
  const known = get("/a");
  const connection = await connect();
  await ask(connection, known, 5);
  for (const framing of [`Content-Length: ${2 * known.length}`, "Transfer-Encoding: chunked"]) {
    const isChunked = framing.includes("chunked");
    const connection = await connect();
    await ask(connection, known, 3);
    await connection.send(requestHead("POST", "/echo", framing));
    if (isChunked) await connection.send(`${(2 * known.length).toString(16)}\r\n`);
    await connection.send(known);
    await new Promise((resolve) => setImmediate(resolve));
    await connection.send(known);
    if (isChunked) await connection.send("\r\n0\r\n\r\n");
    assert.equal((await connection.response({ method: "POST" })).text, known + known);
    await ask(connection, known, 3);
  }
});

test("what follows a request that ends its connection is no request", async (t) => {
  const { connect } = await start(t);
  const known = get("/a");
  for (
    const [last, status] of [
      [get("/a", "Connection: close"), 200],
      ["GET /a HTTP/1.0\r\nHost: localhost\r\n\r\n", 200],
      ["nonsense\r\n\r\n", 400],
      ["GET /a HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400],
    ] as const
  ) {
    const connection = await connect();
    await ask(connection, known, 5);
    await connection.send(last);
    const response = await connection.response();
    assert.equal(response.status, status, last);
    await connection.send(known).catch(() => {});
    await connection.ended();
    assert.equal(connection.take().length, 0, last);
  }
});

test("a request to connect ends it, also with known ones behind it", async (t) => {
  const { connect } = await start(t);
  const connection = await connect();
  await ask(connection, get("/a"), 5);
  await connection.send("CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n");
  await connection.send(get("/a")).catch(() => {});
  assert.equal((await connection.response()).status, 501);
  connection.halfClose();
  await connection.ended();
  assert.equal(connection.take().length, 0);
});

test("requests in any pieces, alone and many at a time, are answered in their order", async (t) => {
  const { connect } = await start(t);
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const random = randomNumbers(20261121);
  const requests = {
    [get("/a")]: "of a",
    [get("/b")]: "of b, more",
    [get("/slow")]: "slow",
    [requestHead("POST", "/echo", "Content-Length: 5") + "hello"]: "hello",
    [requestHead("POST", "/echo", "Transfer-Encoding: chunked") + "2\r\nhi\r\n0\r\n\r\n"]: "hi",
  };
  for (let round = 0; round < 60; round++) {
    const connection = await connect();
    const asked = Array.from(
      { length: 12 },
      () => pick(Object.keys(requests).slice(0, round % 6 + 1), random),
    );
    let bytes = asked.join("");
    const answers = (async () => {
      const texts: string[] = [];
      for (const request of asked) {
        texts.push((await connection.response({ method: request.split(" ", 1)[0]! })).text);
      }
      return texts;
    })();
    while (bytes !== "") {
      // Most of the time just one request.
      const whole = bytes.indexOf("\r\n\r\n") + 4;
      const length = random() < 0.6 ? whole : 1 + Math.floor(random() * 2 * whole);
      await connection.send(bytes.slice(0, length));
      bytes = bytes.slice(length);
      if (random() < 0.7) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(await answers, asked.map((request) => requests[request]), JSON.stringify(asked));
    connection.close();
  }
  assert.deepEqual(warnings, []);
});

test("a server that closes sends the whole answer to a client that takes its time", async (t) => {
  const { connect, server, events } = await start(t);
  const connection = await connect();
  await ask(connection, get("/large"), 4);
  connection.pause();
  // More than the system takes for a client that does not read.
  const count = 30;
  await connection.send(get("/large").repeat(count - 1));
  await connection.send(get("/large"));
  await until(() => events.length > 4, "the first is sent");
  const closed = server.close(10_000);
  connection.resume();
  let complete = 0;
  for (; complete < count; complete++) {
    const response = await connection.response().catch(() => null);
    if (response === null || !response.complete) break;
    assert.equal(response.body.length, LARGE);
  }
  assert.ok(complete > 0);
  await closed;
});

for (
  const [what, request] of Object.entries({
    "an answer from memory": get("/large"),
    "a part of a file": get("/large", "Range: bytes=0-"),
  })
) {
  test(`${what} that its client does not wait for is logged as broken off`, async (t) => {
    const { connect, events } = await start(t);
    const connection = await connect();
    await ask(connection, get("/large"), 4);
    connection.pause();
    // One after the other, so that each finds the connection idle, until the system takes no more.
    let asked = 4;
    while (events.length === asked) {
      await connection.send(request);
      asked++;
      await Promise.race([
        until(() => events.length === asked, "logged").catch(() => {}),
        new Promise((resolve) => setTimeout(resolve, 300)),
      ]);
    }
    connection.reset();
    await until(() => events.length === asked, "logged");
    const last = events.at(-1)!;
    assert.ok(last.type === "access" && !last.complete, JSON.stringify(last));
  });
}

type Made = PreparedResponse | Begun;

/** A handler that answers on the head of a request, when the test says so. */
function later() {
  const answers: ((made: Made | Promise<never>) => void)[] = [];
  const inFull: (Begun | undefined)[] = [];
  const left: boolean[] = [];
  const handler: Handler = Object.assign(
    async (request: Request, { begun }: Connection = {}) => {
      inFull.push(begun);
      await new Promise((resolve) => setImmediate(resolve));
      left.push(request.signal.aborted);
      return new Response(`in full ${new URL(request.url).pathname}`);
    },
    {
      atOnce: ({ target }: RequestHead) =>
        target.startsWith("/later")
          ? new Promise<PreparedResponse | Begun>((resolve) => answers.push(resolve))
          : "later" as const,
    },
  );
  return { handler, answers, inFull, left };
}

function prepared(text: string, headers: Record<string, string> = {}): PreparedResponse {
  const body = new TextEncoder().encode(text);
  return { status: 200, headers: { "content-length": String(body.length), ...headers }, body };
}

async function startLater(t: TestContext) {
  const events: string[] = [];
  const messages: string[] = [];
  const { handler, answers, inFull, left } = later();
  const server = await serve({
    port: 0,
    handler,
    log(event) {
      if (event.type === "access") events.push(`${event.target} ${event.status} ${event.complete}`);
      else if (event.type === "message") messages.push(event.message);
    },
  });
  const connection = await connect(server.address);
  t.after(async () => {
    connection.close();
    await server.close(0);
  });
  const answer = async (made: Made) => {
    await until(() => answers.length > 0, "asked");
    answers.shift()!(made);
  };
  // From here on it is known.
  for (let time = 0; time < 2; time++) {
    await connection.send(get("/later"));
    await answer(prepared("known"));
    assert.equal((await connection.response()).text, "known");
  }
  return { server, connection, answer, answers, inFull, left, events, messages };
}

test("an answer that is being made holds back what comes behind it, and nothing is lost", async (t) => {
  const { connection, answer, inFull } = await startLater(t);
  await connection.send(get("/later"));
  await new Promise((resolve) => setImmediate(resolve));
  await connection.send(get("/x"));
  await connection.send(get("/later"));
  await connection.send(get("/y").slice(0, 10));
  await connection.send(get("/y").slice(10));
  await answer(prepared("first"));
  assert.equal((await connection.response()).text, "first");
  assert.equal((await connection.response()).text, "in full /x");
  await answer(prepared("second"));
  assert.equal((await connection.response()).text, "second");
  assert.equal((await connection.response()).text, "in full /y");
  assert.deepEqual(inFull, [undefined, undefined]);
});

test("an answer with fields of the connection's, and one of no known length, are sent as ever", async (t) => {
  const { connection, answer } = await startLater(t);
  await connection.send(get("/later"));
  await answer(prepared("dated", { date: "Thu, 01 Jan 1970 00:00:00 GMT" }));
  const dated = await connection.response();
  assert.equal(dated.text, "dated");
  assert.equal(dated.header("date"), "Thu, 01 Jan 1970 00:00:00 GMT");
  await connection.send(get("/later"));
  await answer({ status: 200, headers: {}, body: new TextEncoder().encode("of any length") });
  assert.equal((await connection.response()).text, "of any length");
  await connection.send(get("/later"));
  await answer({ status: 404, statusText: "Nothing Here", headers: { "content-length": "0" }, body: null });
  const { statusLine } = await connection.response();
  assert.equal(statusLine, "HTTP/1.1 404 Nothing Here");
});

test("an answer that cannot be sent breaks the connection and is told, and the server goes on", async (t) => {
  const { server, connection, answer, messages } = await startLater(t);
  for (
    const headers of [{ trailer: "x" }, { "x-a": "1\r\nx-b: 2" }, { "x a": "b" }] as Record<string, string>[]
  ) {
    const broken = await connect(server.address);
    await broken.send(get("/later"));
    await answer(prepared("known"));
    assert.equal((await broken.response()).text, "known");
    await broken.send(get("/later"));
    await answer(prepared("nothing", headers));
    await broken.ended();
    assert.equal(broken.take().length, 0);
  }
  assert.equal(messages.length, 3, messages.join());
  await connection.send(get("/later"));
  await answer(prepared("still here"));
  assert.equal((await connection.response()).text, "still here");
});

test("an answer that fails against its promise breaks the connection and is told", async (t) => {
  const { server, connection, answer, answers, messages } = await startLater(t);
  const broken = await connect(server.address);
  await broken.send(get("/later"));
  await answer(prepared("known"));
  await broken.response();
  await broken.send(get("/later"));
  let isBroken = false;
  void broken.ended().then(() => isBroken = true);
  // On the short cut it is asked for again.
  await until(() => {
    answers.shift()?.(Promise.reject(new Error("against its promise")));
    return isBroken;
  }, "broken off");
  assert.equal(broken.take().length, 0);
  assert.match(messages.join(), /^response broken off: Error: against its promise$/);
  assert.deepEqual(answers, []);
  await connection.send(get("/later"));
  await answer(prepared("still here"));
  assert.equal((await connection.response()).text, "still here");
});

test("what was begun is gone on with in full, also when its client has left", async (t) => {
  const { connection, answer, answers, inFull, left, events } = await startLater(t);
  const begun = { requestId: "begun", started: performance.now() };
  await connection.send(get("/later"));
  await answer(begun);
  assert.equal((await connection.response()).text, "in full /later");
  assert.deepEqual(inFull, [begun]);
  await connection.send(get("/later"));
  await until(() => answers.length > 0, "asked");
  connection.reset();
  await connection.ended();
  const again = { requestId: "again", started: performance.now() };
  await until(() => events.length === 3 || answers.length > 0, "the client has left");
  await new Promise((resolve) => setTimeout(resolve, 50));
  await answer(again);
  await until(() => left.length === 2, "asked in full");
  assert.deepEqual(inFull, [begun, again]);
  assert.deepEqual(left, [false, true]);
  await until(() => events.length === 4, "logged");
  assert.equal(events.at(-1), "/later 499 false");
});

test("a client that leaves before its answer is made is logged as gone", async (t) => {
  const { connection, answer, answers, inFull, events } = await startLater(t);
  await connection.send(get("/later"));
  await until(() => answers.length > 0, "asked");
  connection.reset();
  await connection.ended();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await answer(prepared("for nobody"));
  await until(() => events.length === 3, "logged");
  assert.equal(events.at(-1), "/later 499 false");
  assert.deepEqual(inFull, []);
});

test("a server that closes sends an answer that is being made, and closes the connection after it", async (t) => {
  const { server, connection, answer, answers } = await startLater(t);
  await connection.send(get("/later"));
  await until(() => answers.length > 0, "asked");
  const closed = server.close(10_000);
  await answer(prepared("the last one"));
  const response = await connection.response();
  assert.equal(response.text, "the last one");
  assert.equal(response.header("connection"), "close");
  await connection.ended();
  await closed;
});
