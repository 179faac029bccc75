/** Large bodies on their way to a script: every byte and no other, and the connection is in step after them. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { afterEach, describe, it } from "node:test";
import { connect, get, type RawConnection, requestHead, toBytes } from "../_http.ts";
import { randomNumbers } from "../_random.ts";
import { needsLauncher, untilLaunched } from "../contract/_processes.ts";
import { runtime } from "../_runtime.ts";
import { type Served, type ServedOptions, serveShell } from "./_served.ts";
import { freshPaths, HEAD, until, waitFor } from "./_shell.ts";

const MIB = 1024 * 1024;
const freshPath = freshPaths();
const HASH = `${HEAD}; sha256sum | cut -c1-64`;
let served: Served;

afterEach(() => served?.close());

/** Bytes of which each four say where they are. */
function numbered(length: number, first = 0): Uint8Array {
  const numbers = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, index) => first + index);
  return new Uint8Array(numbers.buffer).subarray(0, length);
}

function hashOf(bytes: Uint8Array): string {
  return `${createHash("sha256").update(bytes).digest("hex")}\n`;
}

function headFor(body: Uint8Array, ...headers: string[]): string {
  return requestHead("POST", "/", `Content-Length: ${body.length}`, ...headers);
}

async function sendInPieces(
  connection: RawConnection,
  bytes: Uint8Array,
  random: () => number,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const longest = random() < 0.2 ? 10 : random() < 0.5 ? 10_000 : 2 * MIB;
    const piece = bytes.subarray(at, at + 1 + Math.floor(random() * longest));
    await connection.send(piece);
    at += piece.length;
  }
}

for (const way of ["direct", "launched"] as const) {
  const skip = way === "launched" ? needsLauncher : process.platform === "linux" ? false : "no sha256sum";

  describe(`a large body for a script (${way})`, { skip }, () => {
    async function shell(source: string, options: ServedOptions = {}): Promise<Served> {
      if (way === "launched") await untilLaunched();
      return served = await serveShell(source, { direct: way === "direct", ...options });
    }

    it("arrives as it was sent, in whatever pieces, with other requests behind it", async () => {
      await shell(HASH);
      const random = randomNumbers(3);
      await Promise.all([5 * MIB, 65_537, 3 * MIB + 1].map(async (length, client) => {
        const connection = await connect(served);
        const bodies = [length, 100_000, 1, 2 * MIB].map((length) => numbered(length, client * 10_000_000));
        const all = Buffer.concat(bodies.flatMap((body) => [toBytes(headFor(body)), body]));
        const sending = sendInPieces(connection, Buffer.concat([all, toBytes(get("/"))]), random);
        for (const body of [...bodies, new Uint8Array()]) {
          const { status, text } = await connection.response({ timeout: 60_000 });
          assert.deepEqual([status, text], [200, hashOf(body)]);
        }
        await sending;
        connection.close();
      }));
    });

    it("arrives while the client waits for what became of it so far", async () => {
      await shell(`printf 'Content-Type: a/b\\nContent-Length: 1000000\\n\\n'; exec cat`);
      const connection = await connect(served);
      const body = numbered(1_000_000);
      await connection.send(headFor(body));
      let sent = 0;
      for (const length of [1, 70_000, 1, 300_000, 2, 65_536, 500_000]) {
        await connection.send(body.subarray(sent, sent += length));
        if (sent === 1) await connection.head();
        await connection.received(sent);
      }
      await connection.send(Buffer.concat([body.subarray(sent), toBytes(get("/"))]));
      assert.deepEqual(
        Buffer.from(await connection.received(body.length)).subarray(0, body.length),
        Buffer.from(body),
      );
      connection.close();
    });

    it("waits while the script does not read, and is whole then", async () => {
      const [begun, go] = [freshPath(), freshPath()];
      await shell(`${HEAD}; : >${begun}; ${until(go)}; sha256sum | cut -c1-64`);
      const connection = await connect(served);
      const body = numbered(24 * MIB);
      const sending = connection.send(Buffer.concat([toBytes(headFor(body)), body]));
      await waitFor(() => existsSync(begun), "the script");
      writeFileSync(go, "");
      const { status, text } = await connection.response({ timeout: 60_000 });
      assert.deepEqual([status, text], [200, hashOf(body)]);
      await sending;
      connection.close();
    });

    it("comes again and again, whole as soon as it was sent", async () => {
      await shell(`${HEAD}; wc -c`);
      const connection = await connect(served);
      const request = Buffer.concat([toBytes(headFor(new Uint8Array(6 * MIB))), new Uint8Array(6 * MIB)]);
      for (let round = 0; round < 40; round++) {
        const sending = connection.send(request);
        assert.equal((await connection.response()).text.trim(), String(6 * MIB));
        await sending;
      }
      connection.close();
    });

    it("ends where it ends when the script reads a part of it", async () => {
      await shell(`${HEAD}; head -c 70000 | sha256sum | cut -c1-64`);
      const connection = await connect(served);
      for (let round = 0; round < 5; round++) {
        const body = numbered(800_000, round);
        await connection.send(Buffer.concat([toBytes(headFor(body)), body]));
        const { status, text } = await connection.response();
        assert.deepEqual([status, text], [200, hashOf(body.subarray(0, 70_000))]);
      }
      connection.close();
    });

    it("is waited for with 100 Continue", async () => {
      await shell(HASH);
      const connection = await connect(served);
      const body = numbered(2 * MIB);
      await connection.send(headFor(body, "Expect: 100-continue"));
      await connection.received("HTTP/1.1 100 Continue\r\n\r\n".length);
      await connection.send(Buffer.concat([body, toBytes(get("/"))]));
      for (const expected of [body, new Uint8Array()]) {
        assert.equal((await connection.response()).text, hashOf(expected));
      }
      connection.close();
    });

    it("ends a script that does not read it when the client leaves", async () => {
      // More than pipes take. An end, unlike a reset, gets here only behind all that was sent.
      const ways = [["close", 200_000], ["halfClose", 200_000], ["reset", 12 * MIB]] as const;
      for (const [leave, length] of ways) {
        const [begun, go] = [freshPath(), freshPath()];
        await shell(
          `head -c 1 >/dev/null; echo $$ >${begun}; until [ -e ${go} ]; do sleep 0.05; done; exec cat`,
        );
        const connection = await connect(served);
        await connection.send(headFor(numbered(16 * MIB)));
        connection.send(numbered(length)).catch(() => {});
        await waitFor(() => existsSync(begun), "the script runs");
        connection[leave]();
        // Node would have to read all that comes before the end.
        if (runtime.name === "node") writeFileSync(go, "");
        await served.exit();
        connection.close();
        await served.close();
      }
    });

    it("is whole for a script that takes its time, also when the client has ended its side", async () => {
      await shell(`${HEAD}; sleep 0.7; wc -c`);
      const connection = await connect(served);
      const body = numbered(3 * MIB);
      await connection.send(headFor(body, "Connection: close"));
      await connection.send(body);
      connection.halfClose();
      const { text, complete } = await connection.response();
      assert.deepEqual([text.trim(), complete], [String(body.length), true]);
    });

    it("is never whole for the script when the client leaves", async () => {
      for (const leave of ["close", "reset", "halfClose"] as const) {
        const [begun, whole] = [freshPath(), freshPath()];
        await shell(`head -c 1000000 >/dev/null; echo $$ >${begun}; cat >/dev/null; : >${whole}`);
        const connection = await connect(served);
        await connection.send(headFor(numbered(4 * MIB)));
        await connection.send(numbered(3 * MIB));
        await waitFor(
          () => existsSync(begun) && readFileSync(begun, "utf8").endsWith("\n"),
          "the script reads",
        );
        connection[leave]();
        await served.exit();
        assert.equal(existsSync(whole), false);
        connection.close();
        await served.close();
      }
    });
  });
}
