/**
 * What requests cost, counted exactly: questions to the system, bytes copied, objects made. A change that makes the
 * common request dearer fails here, on any machine and without a clock.
 *
 * @module
 */

import assert from "node:assert/strict";
import { linkSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it, type TestContext } from "node:test";
import type { LogEvent } from "../src/log/events.ts";

/** How many of each were made since the last time. */
const made: Record<string, number> = {};

/** How often these were called since the last time. */
const called: Record<string, number> = {};

/** Replaced before anything of this project is loaded, so that whatever it makes is counted. */
for (const name of ["Request", "Response", "Headers", "ReadableStream", "URL", "AbortController"] as const) {
  const original = globalThis[name] as new (...all: never[]) => object;
  const counting = new Proxy(original, {
    construct(target, args, newTarget) {
      made[name] = (made[name] ?? 0) + 1;
      return Reflect.construct(target, args, newTarget);
    },
  });
  Object.defineProperty(globalThis, name, { value: counting, configurable: true, writable: true });
}

/** What the adapter looks at. */
const CLOCK = "Deno" in globalThis || "Bun" in globalThis
  ? [performance, "now"] as const
  : [process, "hrtime"] as const;

/** The same for functions. */
for (
  const [owner, name] of [CLOCK, [crypto, "randomUUID"], [RegExp.prototype, "test"]] as const
) {
  const original = Reflect.get(owner, name) as (...all: unknown[]) => unknown;
  Object.defineProperty(owner, name, {
    value(this: unknown, ...all: unknown[]) {
      called[name] = (called[name] ?? 0) + 1;
      return original.apply(this, all);
    },
    configurable: true,
    writable: true,
  });
}

const { temporaryDirectory } = await import("./_runtime.ts");
const { countingFiles } = await import("./_counting_files.ts");
const { connect, get } = await import("./_http.ts");
const { serve } = await import("../src/serve.ts");
const { site } = await import("../src/site.ts");
const { completeHandler } = await import("../src/complete_handler.ts");
const { formatEvent } = await import("../src/log/format.ts");
const { output } = await import("../adapters/shared/output.ts");
const { requestClass } = await import("../adapters/shared/node_http/request.ts");

// Bun runs all tests in one process: another one may have loaded this class with what it extends.
Object.setPrototypeOf(requestClass(), globalThis.Request);

/** What was counted since the last time. */
type Costs = Readonly<Record<string, number>>;

interface Site {
  /** Sends a request on the one connection, and says what it cost. */
  cost(request: string): Promise<{ readonly status: number; readonly costs: Costs }>;
  readonly events: string[];
}

const OLD = new Date("2024-01-02T03:04:05Z");
const SIZES = {
  "1k.html": 1024,
  "a/b/1k.html": 1024,
  "100k.js": 102_400,
  "1m.bin": 1_048_576,
  "2m.bin": 2_097_152,
  "2m.js": 2_097_152,
};

/** Files in one folder. */
const MANY = 500;

async function served(t: TestContext, headers?: Readonly<Record<string, string>>): Promise<Site> {
  const directory = await temporaryDirectory(t);
  mkdirSync(join(directory, "a/b"), { recursive: true });
  for (const [name, size] of Object.entries(SIZES)) {
    writeFileSync(join(directory, name), "x".repeat(size));
    utimesSync(join(directory, name), OLD, OLD);
  }
  mkdirSync(join(directory, "many"));
  for (let file = 0; file < MANY; file++) {
    linkSync(join(directory, "1k.html"), join(directory, "many", `${file}`));
  }
  const fileSystem = countingFiles(10_000);
  const events: string[] = [];
  const handler = site({
    directory,
    cgi: true,
    fileSystem,
    log() {},
    static: { listing: true, compress: true },
  });
  const server = await serve({
    port: 0,
    handler,
    ...(headers && { headers }),
    log: (event) => event.type === "access" && events.push(`${event.status} ${event.bytes}`),
  });
  const connection = await connect(server.address);
  t.after(async () => {
    connection.close();
    await server.close(0);
    await handler.close();
  });
  return {
    events,
    async cost(request) {
      fileSystem.take();
      for (const name of Object.keys(made)) delete made[name];
      await connection.send(request);
      const { status } = await connection.response({ method: request.split(" ", 1)[0]! });
      return { status, costs: { ...fileSystem.take(), ...made } };
    },
  };
}

const KEPT = [
  ["a file", get("/1k.html"), 200, { look: 1 }],
  ["a file, with a query", get("/1k.html?x=1"), 200, { look: 1 }],
  ["a larger one", get("/100k.js"), 200, { look: 1 }],
  ["as large a one as is kept", get("/1m.bin"), 200, { look: 1 }],
  ["a file two folders down", get("/a/b/1k.html"), 200, { look: 3 }],
  ["HEAD", "HEAD /1k.html HTTP/1.1\r\nHost: x\r\n\r\n", 200, { look: 1 }],
  ["a conditional request", get("/1k.html", "If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT"), 304, {
    look: 1,
  }],
  ["what a browser sends", get("/1k.html", "Accept: text/html", "Accept-Encoding: gzip, br"), 200, {
    look: 1,
  }],
] as const;

describe("a request that is answered from memory costs", () => {
  for (const [what, request, status, expected] of KEPT) {
    it(what, async (t) => {
      const { cost, events } = await served(t);
      await cost(request);
      await cost(request);
      for (let count = 0; count < 3; count++) {
        const { costs, ...answer } = await cost(request);
        assert.equal(answer.status, status);
        assert.deepEqual(costs, expected);
      }
      assert.equal(events.length, 5);
    });
  }
});

it("a file with headers that the server adds costs no more, with an access log either", async (t) => {
  const { cost, events } = await served(t, { "x-served-by": "test" });
  await cost(get("/1k.html"));
  await cost(get("/1k.html"));
  for (let count = 0; count < 3; count++) {
    assert.deepEqual(await cost(get("/1k.html")), { status: 200, costs: { look: 1 } });
  }
  assert.deepEqual(events, Array(5).fill("200 1024"));
});

describe("a line of the access log costs", () => {
  const head = { method: "GET", target: "/1k.html?v=1", headers: new Map([["host", "x"]]) };
  const fields = { get: (name: string) => head.headers.get(name) ?? null, forEach() {} };
  const answer = { status: 200, headers: { "content-length": "5" }, body: new Uint8Array(5) };
  const handler = Object.assign(() => new Response("never"), { atOnce: () => answer });
  const remote = { hostname: "127.0.0.1", port: 1 };

  for (const format of ["common", "combined", "json"] as const) {
    it(`${format}: two looks at the clock, a name where it is written, and nothing that was made before`, () => {
      const lines: string[] = [];
      const requestIds = format === "json";
      const log = (event: LogEvent) => {
        // One that is made when it is asked for takes Node longer than all of the line.
        const properties = Object.values(Object.getOwnPropertyDescriptors(event));
        assert.ok(properties.every((property) => "value" in property));
        lines.push(formatEvent(event, format));
      };
      const { atOnce } = completeHandler(
        handler,
        () => new Response(),
        Object.assign(log, { requestIds }),
      );
      function ask(): void {
        const made = atOnce({ ...head, headers: fields }, { remote });
        assert.ok(typeof made === "object" && "status" in made);
        made.onSent?.({ begun: true, bytes: 5, complete: true });
      }
      // Also of a second that ends meanwhile.
      for (let count = 0; count < 3; count++) ask();
      for (const counts of [called, made]) for (const name of Object.keys(counts)) delete counts[name];
      for (let count = 0; count < 1000; count++) ask();
      const { [CLOCK[1]]: now, randomUUID, test: tests = 0 } = called;
      assert.deepEqual({ now, randomUUID, ...made }, {
        now: 2000,
        randomUUID: requestIds ? 1000 : undefined,
      });
      // What a URL would write differently is looked for each time; what has to be escaped, once.
      assert.ok(tests <= 1000, `${tests} looks for characters`);
      assert.equal(lines.length, 1003);
      assert.match(
        lines[1002]!,
        format === "json" ? /"path":"\/1k.html","query":"v=1"/ : /"GET \/1k.html\?v=1 HTTP\/1.1" 200 5/,
      );
    });
  }

  it("a write for all that come in one turn of the event loop", async () => {
    const writes: string[] = [];
    const { log, flush } = output({
      write(bytes) {
        writes.push(new TextDecoder().decode(bytes));
        return bytes.length;
      },
    });
    const line = '127.0.0.1 - - [20/Nov/2026 09:05:07] "GET /1k.html HTTP/1.1" 200 1024\n';
    for (let count = 0; count < 50; count++) log(line);
    await flush(10_000);
    assert.deepEqual(writes, [line.repeat(50)]);
  });
});

const A_FILE = { realPath: 1, stat: 0, open: 1, close: 1, list: 0 };
/** A stream of it closes the file by itself. */
const A_STREAM = { ...A_FILE, close: 0 };
const GZIP = "Accept-Encoding: gzip";

/** What memory does not hold. */
const LOOKED_FOR_ONCE = [
  ["a large file", get("/2m.bin"), 200, A_FILE],
  ["a large part of one", get("/2m.bin", "Range: bytes=1-2000000"), 206, A_FILE],
  ["parts of one", get("/2m.bin", "Range: bytes=0-9,100-200000"), 206, A_FILE],
  ["one that is compressed on the way", get("/2m.js", GZIP), 200, A_STREAM],
] as const;

/** As a file, as a folder, each name of an index; in the end its names, and what each of them stands for. */
const A_FOLDER = { realPath: 3, stat: 1, open: 1, close: undefined, read: undefined, list: 1 };

describe("a request that is answered from the disk costs", () => {
  it("a file that is asked for the first time", async (t) => {
    const { cost } = await served(t);
    await cost(get("/1k.html"));
    const { costs } = await cost(get("/100k.js"));
    const { look, realPath, open, close, read, readBytes, stat } = costs;
    assert.deepEqual({ look, realPath, open, close, read, readBytes, stat }, {
      look: 1,
      realPath: 1,
      open: 1,
      close: 1,
      read: 1,
      readBytes: 102_400,
      stat: undefined,
    });
    assert.deepEqual([costs["Request"], costs["Response"], costs["Headers"]], [
      undefined,
      undefined,
      undefined,
    ]);
  });

  for (const [what, request, status, expected] of LOOKED_FOR_ONCE) {
    it(`${what}: it is looked for once`, async (t) => {
      const { cost, events } = await served(t);
      await cost(request);
      for (let count = 0; count < 3; count++) {
        const { costs, ...answer } = await cost(request);
        const { realPath = 0, stat = 0, open = 0, close = 0, list = 0 } = costs;
        assert.equal(answer.status, status);
        assert.deepEqual({ realPath, stat, open, close, list }, expected);
      }
      assert.equal(events.length, 4);
    });
  }

  it("a listing: each name is looked for once, all in the same folder", {
    skip: process.platform === "linux" ? false : "only Linux tells which folder it is",
  }, async (t) => {
    const { cost } = await served(t);
    for (const [path, inFolder] of [["/a/b/", 1], ["/many/", MANY]] as const) {
      await cost(get(path));
      for (let count = 0; count < 3; count++) {
        const { status, costs } = await cost(get(path));
        const { realPath, stat, open, close, read, list } = costs;
        assert.equal(status, 200);
        assert.deepEqual({ realPath, stat, open, close, read, list }, A_FOLDER);
        assert.equal(costs["inFolder"], inFolder);
      }
    }
  });

  it("a part of a file", async (t) => {
    const { cost } = await served(t);
    await cost(get("/2m.bin", "Range: bytes=0-9"));
    const { status, costs } = await cost(get("/2m.bin", "Range: bytes=100-199"));
    assert.equal(status, 206);
    assert.deepEqual([costs["open"], costs["close"], costs["readBytes"]], [1, 1, 100]);
  });

  it("a file that is not there", async (t) => {
    const { cost } = await served(t);
    await cost(get("/none"));
    const { status, costs } = await cost(get("/none2"));
    assert.equal(status, 404);
    assert.deepEqual([costs["realPath"], costs["open"], costs["look"]], [1, undefined, undefined]);
  });
});
