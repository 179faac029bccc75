/**
 * `serve()`: what it adds to a handler and to the runtime's own server.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Connection, Handler } from "../src/handler.ts";
import type { AccessEvent, LogEvent } from "../src/log/events.ts";
import { route } from "../src/router.ts";
import { ListenError, type ListenOptions, type Network } from "../src/runtime.ts";
import { serve, type ServeOptions } from "../src/serve.ts";
import { errorPage, staticFiles } from "../mod.ts";
import { connect, exchange, get, requestHead } from "./_http.ts";
import "./_runtime.ts";

/** A network that listens nowhere, and hands out what it was given. */
interface FakeNetwork extends Network {
  options?: ListenOptions;
  handler?: Handler;
}

function fakeNetwork(): FakeNetwork {
  const network: FakeNetwork = {
    listen(handler, options) {
      Object.assign(network, { handler, options });
      const { hostname, port } = options;
      return Promise.resolve({ address: { hostname, port: port || 12345 }, close: () => Promise.resolve() });
    },
  };
  return network;
}

/** Serves a handler on a fake network, and asks it. */
async function asker(handler: Handler, options: Partial<ServeOptions> = {}): Promise<{
  readonly ask: (path: string, init?: RequestInit, connection?: Connection) => Promise<Response>;
  readonly events: LogEvent[];
  readonly network: FakeNetwork;
}> {
  const network = fakeNetwork();
  const events: LogEvent[] = [];
  await serve({ handler, network, log: (event) => events.push(event), ...options });
  return {
    events,
    network,
    async ask(path, init, connection) {
      return await network.handler?.(new Request(`http://localhost${path}`, init), connection) as Response;
    },
  };
}

test("serve() listens on port 8000 of this machine alone, over HTTP", async () => {
  const { network } = await asker(() => undefined);
  const { hostname, port, tls } = network.options as ListenOptions;
  assert.deepEqual({ hostname, port, tls }, { hostname: "127.0.0.1", port: 8000, tls: undefined });
});

test("serve() tells the address in a URL", async () => {
  const handler = () => undefined;
  const tls = { cert: "", key: "" };
  const urls = await Promise.all([
    serve({ handler, network: fakeNetwork(), port: 0 }),
    serve({ handler, network: fakeNetwork(), hostname: "::1", port: 1 }),
    serve({ handler, network: fakeNetwork(), hostname: "localhost", port: 443, tls }),
  ]);
  assert.deepEqual(urls.map(({ url }) => url), [
    "http://127.0.0.1:12345/",
    "http://[::1]:1/",
    "https://localhost:443/",
  ]);
});

test("serve() on the running runtime, from an open port to a closed one", async () => {
  const server = await serve({
    port: 0,
    handler: (request) => new Response(new URL(request.url).pathname),
    log: () => {},
  });
  assert.equal(server.url, `http://127.0.0.1:${server.address.port}/`);
  assert.equal(await (await fetch(`${server.url}hello`)).text(), "/hello");
  await server.close();
  await assert.rejects(fetch(server.url));
});

test("serve() rejects with a ListenError when the port is in use", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await assert.rejects(serve({ port, handler: () => undefined }), (error) => {
    assert.ok(error instanceof ListenError);
    assert.equal(error.reason, "in-use");
    assert.match(error.message, new RegExp(`\\b${port}\\b`));
    return true;
  });
  other.close();
});

test("what no handler answers is 404, on the page that was asked for", async () => {
  const { ask } = await asker(() => undefined);
  assert.equal((await ask("/x")).status, 404);
  const own = await asker(() => undefined, {
    renderError: ({ status, request }) =>
      new Response(`own ${status} ${new URL(request.url).pathname}`, { status }),
  });
  assert.equal(await (await own.ask("/x")).text(), "own 404 /x");
});

for (
  const [what, handler] of [
    ["throws", () => {
      throw new Error("the\nreason");
    }],
    ["rejects", () => Promise.reject(new Error("the\nreason"))],
  ] as const satisfies readonly (readonly [string, Handler])[]
) {
  test(`a handler that ${what} is 500 and one line in the log, and the reason stays here`, async () => {
    const { ask, events } = await asker(handler);
    const response = await ask("/a?b");
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /reason/);
    const [message, access] = events;
    assert.equal(events.length, 2);
    assert.ok(message?.type === "message" && access?.type === "access");
    assert.equal(message.level, "error");
    assert.equal(message.message, "handler failed for GET /a?b: Error: the\nreason");
    assert.equal(message.requestId, access.requestId);
    assert.equal(access.status, 500);
  });
}

test("an error page of one's own is used for a handler that fails, too", async () => {
  const server = await serve({
    port: 0,
    log: () => {},
    renderError: ({ status }) => new Response(`own ${status}`, { status }),
    handler: () => {
      throw new Error("oops");
    },
  });
  const response = await fetch(server.url);
  assert.deepEqual([response.status, await response.text()], [500, "own 500"]);
  await server.close();
});

test("an error page that fails is 500 with the built-in one", async () => {
  const { ask, events } = await asker(() => undefined, {
    renderError: () => {
      throw new Error("no page");
    },
  });
  const response = await ask("/x");
  assert.equal(response.status, 500);
  assert.match(await response.text(), /500/);
  assert.equal(events.length, 2);
});

test("a handler that gives up because the client left has not failed", async () => {
  const gone = new AbortController();
  const { ask, events } = await asker(() => {
    gone.abort();
    throw new Error("aborted");
  });
  await ask("/x", { signal: gone.signal });
  assert.deepEqual(events.map((event) => event.type === "access" && event.status), [499]);
});

test("each request is logged with what is known of it", async () => {
  const { ask, events } = await asker(() => new Response("12345", { headers: { "content-length": "5" } }));
  const headers = { referer: "http://r/", "user-agent": "tester" };
  const before = Date.now();
  await ask("/a/../b%20c?d=e", { method: "POST", headers }, {
    requestId: "abc",
    remote: { hostname: "192.0.2.1", port: 1 },
    user: { name: "ada", scheme: "Basic" },
    protocol: "HTTP/1.0",
  });
  const { time, durationMs, ...event } = events[0] as AccessEvent;
  assert.deepEqual(event, {
    type: "access",
    requestId: "abc",
    remote: "192.0.2.1",
    user: "ada",
    method: "POST",
    target: "/b%20c?d=e",
    protocol: "HTTP/1.0",
    status: 200,
    bytes: 5,
    complete: true,
    script: null,
    pid: null,
    code: null,
    signal: null,
    referer: "http://r/",
    userAgent: "tester",
  });
  assert.ok(time.getTime() >= before && time.getTime() <= Date.now());
  assert.ok(durationMs >= 0 && durationMs < 60_000);
});

test("the log does not count what is not sent, or not known", async () => {
  const { ask, events } = await asker((request) => {
    return new Response(null, { headers: request.method === "HEAD" ? { "content-length": "5" } : {} });
  });
  await ask("/", { method: "HEAD" });
  await ask("/");
  assert.deepEqual(events.map((event) => event.type === "access" && event.bytes), [null, null]);
  assert.deepEqual(events.map((event) => event.type === "access" && event.remote), [null, null]);
});

test("each request has a name of its own, that the handler and the log share", async () => {
  const names: (string | undefined)[] = [];
  const { ask, events } = await asker((_request, connection) => {
    names.push(connection?.requestId);
    return new Response();
  });
  await ask("/");
  await ask("/");
  assert.equal(new Set(names).size, 2);
  assert.deepEqual(events.map((event) => event.requestId), names);
});

test("dispatch() answers as the whole server would, from wherever it is called", async () => {
  const seen: (Connection | undefined)[] = [];
  const { ask, events } = await asker(
    route([
      ["/deep/down/*", async (request, connection) => {
        const { searchParams } = new URL(request.url);
        const target = new Request(new URL(searchParams.get("to") as string, request.url));
        return await connection?.dispatch?.(target, { ...connection, redirects: 1 }) as Response;
      }],
      ["/there", (_request, connection) => {
        seen.push(connection);
        return new Response("there");
      }],
    ]),
  );
  const connection = { secure: true, requestId: "abc" };
  assert.equal(await (await ask("/deep/down/x?to=/there", {}, connection)).text(), "there");
  assert.equal((await ask("/deep/down/x?to=/nowhere", {}, connection)).status, 404);
  assert.equal(await (await ask("/deep/down/x?to=/deep/down/y%3Fto=/there")).text(), "there");
  const { dispatch, onScript, onUser, ...rest } = seen[0] as Connection;
  assert.equal(typeof dispatch, "function");
  assert.equal(typeof onScript, "function");
  assert.equal(typeof onUser, "function");
  // Not the mount of the handler that called.
  assert.deepEqual(rest, { secure: true, requestId: "abc", redirects: 1 });
  // One request, one line.
  assert.equal(events.length, 3);
});

test("a response that breaks is one line in the log", async () => {
  const { network, events } = await asker(() => undefined);
  network.options?.onError?.(new Error("disk gone"));
  assert.deepEqual(events, [{
    type: "message",
    level: "error",
    source: "server",
    message: "response broken off: Error: disk gone",
  }]);
});

test("without a log, failures go to the console and requests do not", async (t) => {
  const lines: unknown[][] = [];
  t.mock.method(console, "error", (...line: unknown[]) => void lines.push(line));
  const network = fakeNetwork();
  await serve({
    network,
    handler: (request) => {
      if (request.url.endsWith("/bad")) throw new Error("no");
      return new Response();
    },
  });
  await network.handler?.(new Request("http://localhost/good"));
  await network.handler?.(new Request("http://localhost/bad"));
  assert.equal(lines.length, 1);
  assert.match(String(lines[0]), /^htbin: error: handler failed for GET \/bad: Error: no$/);
});

test("close() lets an open response finish, and takes nobody new", async () => {
  let finish = (): void => {};
  const server = await serve({
    port: 0,
    log: () => {},
    handler: () => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode("begun"));
          finish = () => {
            controller.enqueue(new TextEncoder().encode(" and done"));
            controller.close();
          };
        },
      });
      return new Response(body);
    },
  });
  const client = await connect(server.address);
  await client.send(get("/", "Connection: close"));
  await client.received(1);
  const closed = server.close(10_000);
  await assert.rejects(fetch(server.url));
  finish();
  assert.equal((await client.response()).text, "begun and done");
  await closed;
  client.close();
});

test("headers of every response are on files, errors and failures alike, and come with answers at once", async () => {
  const server = await serve({
    port: 0,
    headers: [["server", "example/1.0"], ["x-frame-options", "DENY"]],
    log() {},
    handler: route([
      ["/fails", () => {
        throw new Error("broken");
      }],
      ["/*", staticFiles({ root: "examples/site" })],
    ]),
  });
  for (const path of ["/style.css", "/style.css", "/style.css", "/none", "/fails", "/files"]) {
    const { header } = await exchange(server.address, get(path));
    assert.deepEqual([header("server"), header("x-frame-options")], ["example/1.0", "DENY"], path);
  }
  await server.close(0);
  const quiet = await serve({ port: 0, handler: () => undefined, log() {} });
  assert.equal((await exchange(quiet.address, get("/"))).header("server"), null);
  await quiet.close(0);
  await assert.rejects(serve({ port: 0, handler: () => undefined, headers: { date: "now" } }), TypeError);
});

test("a body that is refused before it is read is never asked for", async () => {
  const server = await serve({
    port: 0,
    log() {},
    async handler(request) {
      if (Number(request.headers.get("content-length")) > 10) return errorPage({ status: 417, request });
      return new Response(await request.text());
    },
  });
  const post = (length: number) =>
    requestHead("POST", "/", `Content-Length: ${length}`, "Expect: 100-continue");
  const refused = await exchange(server.address, post(1000));
  assert.deepEqual([refused.status, refused.interim], [417, []]);
  const connection = await connect(server.address);
  await connection.send(post(5));
  assert.match(new TextDecoder().decode(await connection.received(25)), /^HTTP\/1\.1 100 Continue\r\n/);
  await connection.send("hello");
  assert.equal((await connection.response()).text, "hello");
  connection.close();
  await server.close(0);
});
