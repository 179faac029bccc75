/**
 * Files that change while they are sent, and files that must not be opened.
 *
 * A response may be the old file, whole, or visibly broken off. It is never a
 * mix, and never looks complete when it is not.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { startCommand } from "../_command.ts";
import { connect, get, type RawConnection, type RawResponse, type Target } from "../_http.ts";
import { runtime } from "../_runtime.ts";
import { ask, closeServers, expectError, expectWhole, serverOf } from "./_ask.ts";
import { NOBODY } from "./_unprivileged.ts";
import { MODIFIED, removeSiteFixture, siteFixture, writeTree } from "./_site_fixture.ts";

/** More than all the buffers between server and client hold. */
const LENGTH = 32 * 1024 * 1024;

after(async () => {
  await closeServers();
  removeSiteFixture();
});

describe("a file that changes while it is sent", () => {
  it("is sent whole as it was when another one takes its name", async () => {
    const { response } = await during((path) => {
      writeFileSync(`${path}.new`, filled("B", LENGTH));
      renameSync(`${path}.new`, path);
    });
    expectOld(response);
  });

  it("is sent whole as it was when it is deleted", async () => {
    const { response } = await during((path) => rmSync(path));
    expectOld(response);
  });

  it("breaks off when it is truncated", async () => {
    const { response } = await during((path) => truncateSync(path, 1000));
    assert.equal(response.header("content-length"), String(LENGTH));
    assert.equal(response.complete, false);
    expectOnly(response, "A");
  });

  it("breaks off when it is truncated and filled again", async () => {
    const { response } = await during((path) => {
      writeFileSync(path, filled("B", LENGTH));
    });
    assert.equal(response.complete, false);
    expectOnly(response, "A");
  });

  it("breaks off, or ends as it was, when it is overwritten in place", async () => {
    const { response } = await during((path) => overwrite(path, "B"));
    expectOnly(response, "A");
  });

  it("breaks off, or ends as it was, when it grows", async () => {
    const { response } = await during((path) => {
      appendFileSync(path, filled("B", LENGTH));
    });
    expectOnly(response, "A");
  });

  it("breaks off a range", async () => {
    const range = `Range: bytes=1-${LENGTH - 1}`;
    const { response } = await during((path) => truncateSync(path, 9), range);
    assert.equal(response.status, 206);
    assert.equal(response.complete, false);
    expectOnly(response, "A");
  });

  it("breaks off several ranges", async () => {
    const half = LENGTH / 2;
    const range = `Range: bytes=0-${half - 9},${half}-${LENGTH - 1}`;
    const { response } = await during((path) => truncateSync(path, 9), range);
    assert.equal(response.status, 206);
    assert.equal(response.complete, false);
  });

  it("has another entity tag from then on", async () => {
    const { response, root } = await during((path) => overwrite(path, "B"));
    const again = await ask({ root }, "HEAD /large");
    assert.equal(again.status, 200);
    assert.notEqual(again.header("etag"), response.header("etag"));
  });
});

describe("a log", () => {
  it("is sent as it was when asked for, while it is being written", async () => {
    const root = siteFixture().scratch();
    const path = join(root, "log.txt");
    const { address } = await serverOf({ root });
    writeFileSync(path, filled("A", LENGTH));
    const connection = await connect(address);
    try {
      await connection.send(get("/log.txt", "Connection: close"));
      await connection.received(1000);
      connection.pause();
      appendFileSync(path, filled("B", 1000));
      connection.resume();
      const response = await connection.response({ timeout: 20_000 });
      assert.equal(response.status, 200);
      assert.match(response.header("etag") ?? "", /^W\//);
      assert.equal(response.complete, true);
      assert.equal(response.body.length, LENGTH);
      expectOnly(response, "A");
    } finally {
      connection.close();
    }
  });
});

describe("what is not a regular file", () => {
  it("is refused at once, and never opened", async () => {
    const root = siteFixture().scratch();
    writeFileSync(join(root, "hello.txt"), "0123456789");
    symlinkSync("/dev/zero", join(root, "zero"));
    symlinkSync("/dev/ptmx", join(root, "terminal"));
    symlinkSync(join(siteFixture().site, "fifo"), join(root, "fifo"));
    const socket = createServer();
    await new Promise<void>((resolve) => {
      socket.listen(join(root, "socket"), resolve);
    });
    const served = { root, followSymlinks: true, listing: true };
    const started = performance.now();
    for (const name of ["zero", "terminal", "fifo", "socket"]) {
      expectError(await ask(served, `GET /${name}`), 404);
      expectError(await ask(served, `HEAD /${name}`), 404);
      expectError(await ask(served, `GET /${name}/`), 404);
    }
    assert.ok(performance.now() - started < 1000, "within a second");
    const listing = await ask(served, "GET /", "Accept: application/json");
    const names = (JSON.parse(listing.text) as { name: string }[]).map((
      { name },
    ) => name);
    assert.deepEqual(names, ["hello.txt"]);
    await new Promise((resolve) => socket.close(resolve));
  });
});

describe("a server out of descriptors", () => {
  it("answers 503, and goes on when there are some again", async () => {
    const root = siteFixture().scratch();
    writeTree(root, { "hello.txt": "0123456789" });
    // Root would raise the limit, and some runtimes do.
    const user = process.getuid?.() === 0 ? { user: NOBODY } : {};
    const args = ["0", "--directory", root];
    const command = await startCommand(args, { ...user, descriptors: 96 });
    const first = await connect(command.address);
    const others: RawConnection[] = [];
    try {
      expectWhole(await next(first));
      for (let count = 0; count < 120; count++) {
        // It may refuse some when it has no more room.
        const other = await connect(command.address).catch(() => null);
        if (other !== null) others.push(other);
      }
      const refused = await until(first, 503);
      expectError(refused, 503);
      assert.match(refused.header("retry-after") ?? "", /^\d+$/);
      for (const connection of others) connection.close();
      expectWhole(await until(first, 200));
      expectWhole(await served(command.address));
    } finally {
      first.close();
      for (const connection of others) connection.close();
      const { code, signal, stderr } = await command.stop();
      assert.deepEqual([code, signal], [0, null], stderr);
      if (runtime.name === "deno") assert.match(stderr, /Cannot accept connections: [^\n]+ulimit -n/);
    }
  });
});

describe("a server that is out of descriptors before its first file", () => {
  it("serves files when there are some again", async () => {
    const root = siteFixture().scratch();
    writeTree(root, { "hello.txt": "0123456789" });
    const user = process.getuid?.() === 0 ? { user: NOBODY } : {};
    const command = await startCommand(["0", "--directory", root], { ...user, descriptors: 96 });
    const opened: RawConnection[] = [];
    try {
      for (let count = 0; count < 120; count++) {
        const other = await connect(command.address).catch(() => null);
        if (other === null) continue;
        opened.push(other);
        await other.send(get("/hello.txt")).catch(() => {});
      }
      for (const connection of opened) connection.close();
      expectWhole(await served(command.address));
    } finally {
      for (const connection of opened) connection.close();
      await command.stop();
    }
  });
});

/** The file over a new connection, once the server takes some again: until then it may refuse or break them. */
async function served(target: Target): Promise<RawResponse> {
  const deadline = performance.now() + 10_000;
  while (true) {
    const connection = await connect(target).catch(() => null);
    try {
      if (connection === null) throw new Error("refused");
      const response = await next(connection);
      if (response.status === 200 || performance.now() > deadline) return response;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    } finally {
      connection?.close();
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Asks until it is answered so, or time is up: a server accepts when it can. */
async function until(
  connection: RawConnection,
  status: number,
): Promise<RawResponse> {
  const deadline = performance.now() + 10_000;
  while (true) {
    const response = await next(connection);
    if (response.status === status || performance.now() > deadline) {
      return response;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function next(connection: RawConnection): Promise<RawResponse> {
  await connection.send(get("/hello.txt"));
  return await connection.response();
}

/** Starts a download of a file of `A`s, changes the file, and reads the rest. */
async function during(
  change: (path: string) => void,
  ...headers: string[]
): Promise<{ response: RawResponse; root: string }> {
  const root = siteFixture().scratch();
  const path = join(root, "large");
  writeFileSync(path, filled("A", LENGTH));
  utimesSync(path, MODIFIED, MODIFIED);
  const connection = await connect((await serverOf({ root })).address);
  try {
    await connection.send(get("/large", ...headers, "Connection: close"));
    await connection.received(1000);
    connection.pause();
    change(path);
    connection.resume();
    return { response: await connection.response({ timeout: 20_000 }), root };
  } finally {
    connection.close();
  }
}

function filled(letter: string, length: number): Uint8Array {
  return new Uint8Array(length).fill(letter.charCodeAt(0));
}

/** Other content of the same length, without a moment at which it is shorter. */
function overwrite(path: string, letter: string): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, filled(letter, LENGTH), 0, LENGTH, 0);
  } finally {
    closeSync(file);
  }
}

function expectOld(response: RawResponse): void {
  assert.equal(response.status, 200);
  assert.ok(response.complete, "complete");
  assert.equal(response.body.length, LENGTH);
  expectOnly(response, "A");
}

function expectOnly(response: RawResponse, letter: string): void {
  const code = letter.charCodeAt(0);
  const other = response.body.findIndex((byte) => byte !== code);
  assert.equal(other, -1, `another byte at ${other}`);
}
