/**
 * What group C does that takes more than one line.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import process from "node:process";
import { chunk, concat, requestHead, toBytes, toLatin1 } from "../../_http.ts";
import {
  ask,
  askBytes,
  askUsual,
  expectStatus,
  expectText,
  expectVariables,
  serving,
  talk,
  usualServer,
} from "./_ask.ts";
import { HEAD, shell, text } from "./_scripts.ts";

/** Headers of a body without a length. */
export const CHUNKED: readonly string[] = ["Transfer-Encoding: chunked"];

export async function interimOfOld(): Promise<readonly string[]> {
  const headers = ["Content-Length: 4", "Expect: 100-continue"];
  const response = await askUsual("POST /cgi-bin/count.sh HTTP/1.0", headers, "four");
  expectText(response, "4 4\n");
  return response.interim;
}

export async function truncated(): Promise<void> {
  const server = await usualServer();
  const before = process.memoryUsage().rss;
  for (let power = 18; power <= 64; power += power < 62 ? 4 : 1) {
    await talk(server, async (connection) => {
      await connection.send(
        requestHead("POST", "/cgi-bin/hello.sh", `Content-Length: ${2n ** BigInt(power)}`) + "x",
      );
      const response = await connection.response({ method: "POST" });
      assert.ok(
        response.status === 200 || response.status === 400 || response.status === 413,
        `2^${power}: ${response.head}`,
      );
    });
  }
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 200 * 2 ** 20, `${grown} bytes more memory`);
}

export async function spooled(): Promise<void> {
  const server = await serving({ limits: { spoolMemory: 1000 } });
  const body = text(300_000);
  const chunks = [body.subarray(0, 999), body.subarray(999, 200_000), body.subarray(200_000)].map(chunk);
  const response = await ask(server, "POST /cgi-bin/echo.sh", CHUNKED, concat([...chunks, chunk()]));
  assert.equal(response.status, 200);
  assert.equal(response.text, toLatin1(body));
  await server.exit("echo.sh");
  assert.deepEqual(spoolFiles(), []);
}

/** Files without a name that this process has open, of those that bodies are spooled to. */
function spoolFiles(): readonly string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return /htbin.*\(deleted\)$/.test(target) ? [target] : [];
    } catch {
      return [];
    }
  });
}

export async function echoWhileOpen(
  headers: readonly string[],
  encode: (data: string) => Uint8Array,
  end: Uint8Array = new Uint8Array(),
): Promise<void> {
  // `cat` of its own: some buffer what they read until there is more.
  const path = shell("c16.sh", `${HEAD}; while IFS= read -r line; do echo "got $line"; done`);
  const server = await serving({ chunked: "stream" });
  await talk(server, async (connection) => {
    await connection.send(requestHead("POST", path, ...headers));
    await connection.send(encode("one\n"));
    await connection.head({ method: "POST" });
    let seen = "";
    while (!seen.includes("got one")) seen += toLatin1((await connection.received(1), connection.take()));
    assert.doesNotMatch(seen, /two/);
    await connection.send(concat([encode("two\n"), end]));
    while (!seen.includes("got two")) seen += toLatin1((await connection.received(1), connection.take()));
  });
}

export async function closesInput(): Promise<void> {
  const path = shell(
    "c17.sh",
    `read -r number; exec <&-; ${HEAD}; echo "$number"; for i in 1 2 3; do sleep 0.03; echo $i; done`,
  );
  const server = await serving({ chunked: "stream" });
  await talk(server, async (connection) => {
    await connection.send(concat([toBytes(requestHead("POST", path, ...CHUNKED)), chunk("7\n")]));
    await connection.head({ method: "POST" });
    for (let count = 0; count < 4; count++) {
      await connection.send(chunk("more\n".repeat(1000))).catch(() => {});
    }
    await connection.send(chunk()).catch(() => {});
    let seen = "";
    while (!/7[^]*1[^]*2[^]*3\n/.test(seen)) {
      seen += toLatin1((await connection.received(1), connection.take()));
    }
  });
  assert.equal((await server.exit("c17.sh")).code, 0);
}

export async function parallelUploads(): Promise<void> {
  const server = await usualServer();
  const uploads = Array.from({ length: 20 }, (_, number) => number);
  const releases = new Map<number, () => void>();
  let allOpen = (): void => {};
  const opened = new Promise<void>((resolve) => allOpen = resolve);
  const all = uploads.map((number) =>
    talk(server, async (connection) => {
      await connection.send(
        concat([toBytes(requestHead("POST", "/cgi-bin/echo.sh", ...CHUNKED)), chunk(`begin ${number} `)]),
      );
      const go = new Promise<void>((resolve) => releases.set(number, resolve));
      if (releases.size === uploads.length) allOpen();
      await go;
      await connection.send(concat([chunk("end"), chunk()]));
      expectText(await connection.response({ method: "POST" }), `begin ${number} end`);
    })
  );
  await Promise.race([opened, Promise.all(all)]);
  for (const number of uploads.map((each) => (each * 7 + 3) % 20)) releases.get(number)?.();
  await Promise.all(all);
}

export async function unread(): Promise<void> {
  await talk(await usualServer(), async (connection) => {
    const head = requestHead("POST", "/cgi-bin/hello.sh", `Content-Length: ${2 ** 20}`);
    const [response] = await Promise.all([
      connection.response({ method: "POST" }),
      connection.send(concat([toBytes(head), text(2 ** 20)])).catch(() => {}),
    ]);
    expectText(response, "Hello World\n");
    const next = await connection.send(requestHead("GET", "/cgi-bin/env.sh?next")).then(
      () => connection.response(),
    ).catch(() => null);
    if (next !== null) expectVariables(next, { QUERY_STRING: "next", REQUEST_METHOD: "GET" });
  });
}

export async function badLengths(): Promise<void> {
  const server = await usualServer();
  const smuggled = "GET /cgi-bin/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const rows = [
    ["Content-Length: abc"],
    ["Content-Length: -1"],
    ["Content-Length: +5"],
    ["Content-Length: 5", "Content-Length: 6"],
    ["Content-Length: 5, 6"],
  ];
  for (const headers of rows) {
    const bytes = `${requestHead("POST", "/cgi-bin/echo.sh", ...headers)}hello${smuggled}`;
    const response = await askBytes(server, bytes, "POST").catch((error: Error) => error);
    // A server may also hang up without a word.
    if (response instanceof Error) assert.match(response.message, /connection ended/);
    else expectStatus(response, 400);
  }
  const both = requestHead("POST", "/cgi-bin/echo.sh", "Content-Length: 5", ...CHUNKED);
  await talk(server, async (connection) => {
    await connection.send(`${both}0\r\n\r\n${smuggled}`);
    const response = await connection.response({ method: "POST" });
    assert.ok(response.status === 400 || response.status === 200 && response.text === "", response.head);
  });
}
