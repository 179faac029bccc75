/**
 * What a request for a script costs, counted: a change that asks the file system once more, starts one process more,
 * keeps a descriptor, or copies bytes that were handed on before, shows here on each runtime.
 */

import assert from "node:assert/strict";
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import { runtime } from "../../adapters/auto.ts";
import { cgi } from "../../src/cgi/mod.ts";
import type { Bytes, ChildProcess, Command, SpoolFile } from "../../src/runtime.ts";
import { needsLauncher } from "../contract/_processes.ts";
import { type Calls, counting } from "../_counting.ts";
import { connect, exchange, get, type RawResponse } from "../_http.ts";
import { needsProc, until } from "../_runtime.ts";
import { fakeProcesses } from "./_fakes.ts";
import { type Served, serveScripts } from "./_served.ts";
import { temporaryFolder } from "./_temporary.ts";

const KIB = 1024;

describe("what a request for a script asks of the system", () => {
  const root = temporaryFolder();
  const files: Calls = {};
  const processes: Calls = {};
  let served: Served;

  before(async () => {
    const script = join(root, "count");
    writeFileSync(script, "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nwc -c\n");
    chmodSync(script, 0o755);
    const parent = join(root, "parent");
    writeFileSync(parent, "#!/bin/sh\ncat >/dev/null\nprintf 'Content-Type: text/plain\\n\\n%s' $PPID\n");
    chmodSync(parent, 0o755);
    served = await serveScripts({
      root,
      fileSystem: counting(runtime.files, files),
      processes: counting(runtime.processes, processes),
    });
    // The first one may look up what is kept for the others.
    await served.get("/count");
  });
  beforeEach(() => {
    for (const calls of [files, processes]) {
      for (const name of Object.keys(calls)) delete calls[name];
    }
  });
  after(() => served.close());

  const found = { stat: 1, realPath: 1, isExecutable: 1 };

  it("a GET of one that is known: nothing but a look at it, and one start", async () => {
    assert.equal((await served.get("/count")).text.trim(), "0");
    assert.deepEqual({ files, processes }, { files: {}, processes: { spawn: 1 } });
  });

  it("a path after the script: one question more", async () => {
    assert.equal((await served.get("/count/more/path")).text.trim(), "0");
    assert.deepEqual({ files, processes }, { files: { ...found, stat: 2 }, processes: { spawn: 1 } });
  });

  it("a POST with a length, small or large: no temporary file", async () => {
    for (const size of [10, 200 * KIB]) {
      assert.equal((await post(size)).text.trim(), String(size));
    }
    assert.deepEqual({ files, processes }, { files: {}, processes: { spawn: 2 } });
  });

  it("a small body without a length: no temporary file either", async () => {
    assert.equal((await post(10, { chunked: true })).text.trim(), "10");
    assert.deepEqual(processes, { spawn: 1 });
  });

  it("a large body without a length: one temporary file", async () => {
    assert.equal((await post(200 * KIB, { chunked: true })).text.trim(), String(200 * KIB));
    assert.deepEqual(processes, { spawn: 1, spool: 1 });
  });

  it(
    "a body of any size, with or without a length: no fork of the server's",
    { skip: needsLauncher },
    async () => {
      const parent = async (size: number, chunked: boolean) =>
        (await post(size, { chunked }, "/parent")).text.trim();
      // Whoever comes before the launcher is ready is served in the runtime's own way.
      await until(async () => await parent(10, false) !== String(process.pid), "launched");
      for (const size of [10, 20 * KIB, 200 * KIB, 3000 * KIB]) {
        for (const chunked of [false, true]) {
          assert.notEqual(await parent(size, chunked), String(process.pid), `${size} ${chunked}`);
        }
      }
    },
  );

  it("what is not there: no start, and nothing is opened", async () => {
    assert.equal((await served.get("/missing")).status, 404);
    assert.deepEqual({ files, processes }, { files: { stat: 2 }, processes: {} });
  });

  it("leaves no descriptor behind, over a connection that stays", { skip: needsProc }, async () => {
    const connection = await connect(served);
    const one = async () => {
      await connection.send(get("/count", "Connection: keep-alive"));
      assert.equal((await connection.response()).status, 200);
    };
    await one();
    const before = await settledDescriptors();
    for (let request = 0; request < 20; request++) await one();
    await until(async () => await settledDescriptors() <= before, `${before} descriptors again`);
    connection.close();
  });

  async function post(size: number, { chunked = false } = {}, path = "/count"): Promise<RawResponse> {
    const body = "x".repeat(size);
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`;
    return await exchange(
      served,
      chunked
        ? `${head}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`
        : `${head}Content-Length: ${size}\r\n\r\n${body}`,
    );
  }
});

describe("bytes on their way through cgi()", () => {
  const PIECES = 8;
  const SIZE = 64 * KIB;

  it("from a script to the client are the very pieces that were read", async () => {
    const pieces = Array.from({ length: PIECES }, () => new Uint8Array(SIZE));
    const handler = cgi({
      script: "/bin/script",
      user: null,
      processes: {
        ...fakeProcesses(),
        spawn: () => Promise.resolve(child([new TextEncoder().encode("Content-Type: a/b\n\n"), ...pieces])),
      },
    });
    const response = await handler(new Request("http://localhost/"), connection);
    assert.equal(response?.status, 200);
    const sent = await all(response.body!);
    assert.equal(sent.length, PIECES);
    sent.forEach((piece, index) => assert.equal(piece.buffer, pieces[index]!.buffer));
  });

  it("from the client to a script are the very pieces that came", async () => {
    const pieces = Array.from({ length: PIECES }, () => new Uint8Array(SIZE));
    let taken: readonly Uint8Array[] = [];
    const handler = cgi({
      script: "/bin/script",
      user: null,
      processes: {
        ...fakeProcesses(),
        async spawn({ stdin }: Command) {
          taken = await all(stdin as ReadableStream<Uint8Array>);
          return child([new TextEncoder().encode("Content-Type: a/b\n\n")]);
        },
      },
    });
    const request = new Request("http://localhost/", {
      method: "POST",
      headers: { "content-length": String(PIECES * SIZE) },
      body: streamOf(pieces),
      duplex: "half",
    } as RequestInit);
    assert.equal((await handler(request, connection))?.status, 200);
    assert.equal(taken.length, PIECES);
    taken.forEach((piece, index) => assert.equal(piece.buffer, pieces[index]!.buffer));
  });

  it("into a temporary file are written once each", async () => {
    const pieces = Array.from({ length: PIECES }, () => new Uint8Array(SIZE));
    let written = 0;
    const file: SpoolFile = {
      get size() {
        return written;
      },
      write(piece) {
        written += piece.length;
        return Promise.resolve();
      },
      stream: () => streamOf([]),
      close: () => Promise.resolve(),
    };
    const handler = cgi({
      script: "/bin/script",
      user: null,
      processes: {
        ...fakeProcesses(),
        spool: () => Promise.resolve(file),
        spawn: () => Promise.resolve(child([new TextEncoder().encode("Content-Type: a/b\n\n")])),
      },
    });
    const request = new Request("http://localhost/", {
      method: "POST",
      body: streamOf(pieces),
      duplex: "half",
    } as RequestInit);
    assert.equal((await handler(request, connection))?.status, 200);
    assert.equal(written, PIECES * SIZE);
  });

  const connection = {
    remote: { hostname: "127.0.0.1", port: 1 },
    local: { hostname: "127.0.0.1", port: 2 },
  };
});

/** A process that writes these pieces, and ends. */
function child(pieces: readonly Bytes[]): ChildProcess {
  return {
    pid: 1,
    stdout: streamOf(pieces),
    stderr: streamOf([]),
    exited: Promise.resolve({ code: 0, signal: null }),
    stop: () => false,
  };
}

function streamOf(pieces: readonly Bytes[]): ReadableStream<Bytes> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
}

async function all(stream: ReadableStream<Uint8Array>): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return pieces;
    pieces.push(value);
  }
}

/** Open descriptors of this process, once two looks in a row agree. */
async function settledDescriptors(): Promise<number> {
  for (let last = -1;;) {
    const count = readdirSync("/proc/self/fd").length;
    if (count === last) return count;
    last = count;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
