/**
 * Group G, second part: streaming, load, shutdown.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { currentRuntime, SpawnError } from "../../../src/runtime.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { connect, get, type RawConnection, requestHead, toLatin1 } from "../../_http.ts";
import { ask, expectStatus, expectText, serving, talk, usualServer } from "./_ask.ts";
import { allGone, delay, freshPath, HEAD, numbersIn, release, shell, until, waitFor } from "./_scripts.ts";
import { together } from "./_together.ts";

const linux = process.platform === "linux" ? undefined : "There is no /proc.";

/** Streaming, load, shutdown. */
export const streamingCases: ConformanceSection = together({
  title: "G. Streaming, load and shutdown",
  cases: [
    test(
      "G17",
      "T",
      "working…, a pause, delayed hello",
      "the first line arrives during the pause; chunks as written, and a last one",
      async () => {
        const seen = await streamed("g17.sh", HEAD, "");
        assert.equal(seen, "b\r\nworking...\n\r\ne\r\ndelayed hello\n\r\n0\r\n\r\n");
      },
    ),
    test("G18", "M", "the same over HTTP/1.0", "no chunks, the connection is closed at the end", async () => {
      assert.equal(await streamed("g18.sh", HEAD, "HTTP/1.0"), "working...\ndelayed hello\n");
    }),
    test("G19", "T", "the same with Status: 200", "still streamed", async () => {
      const seen = await streamed("g19.sh", "printf 'Status: 200 OK\\nContent-Type: text/plain\\n\\n'", "");
      assert.match(seen, /^b\r\nworking/);
    }),
    test("G20", "T", "a short answer over HTTP/1.1", "Content-Length is there", async () => {
      // On a busy machine the script may be slower than what an answer is held back for.
      const server = await usualServer();
      let response = await ask(server, "GET /cgi-bin/hello.sh");
      for (let tries = 0; tries < 20 && response.framing !== "length"; tries++) {
        response = await ask(server, "GET /cgi-bin/hello.sh");
      }
      assert.equal(response.header("content-length"), "12");
    }),
    test(
      "G21",
      "T",
      "a fast script of 1 GB, a client that does not read",
      "the script waits: memory is bounded",
      async () => {
        const progress = freshPath();
        const path = shell(
          "g21.sh",
          `${HEAD}; i=0; while [ $i -lt 1000 ]; do head -c 1000000 /dev/zero; i=$((i+1)); echo $i >>'${progress}'; done`,
        );
        await talk(await usualServer(), async (connection) => {
          await connection.send(get(path));
          await connection.head();
          connection.pause();
          const written = () => readFileSync(progress, "utf8").trim().split("\n").length;
          await numbersIn(progress, 1);
          let before = -1;
          for (let now = written(); now !== before; now = written()) {
            before = now;
            await delay(300);
          }
          assert.ok(before < 100, `${before} MB were taken from the script`);
        });
        await (await usualServer()).exit("g21.sh");
      },
    ),
    test(
      "G22",
      "C",
      "200 requests, one after the other (the soak test has 10,000)",
      "no zombie, no more descriptors",
      sequential,
      { unless: linux },
    ),
    test(
      "G23",
      "C",
      "two places, one may wait: four slow requests at once",
      "the third waits, the fourth is 503 with Retry-After",
      async () => {
        const go = freshPath();
        const begun = freshPath();
        const path = shell("g23.sh", `echo 1 >>'${begun}'; ${waitFor(go)}; ${HEAD}; echo ok`);
        const server = await serving({ limits: { concurrent: 2, queue: 1 } });
        const requests: Promise<unknown>[] = [1, 2].map(() => ask(server, `GET ${path}`));
        await numbersIn(begun, 2);
        const others = [ask(server, `GET ${path}`), ask(server, `GET ${path}`)];
        const refused = await Promise.race(others);
        expectStatus(refused, 503);
        assert.match(refused.header("retry-after") ?? "", /^\d+$/);
        release(go);
        const statuses = (await Promise.all(others)).map(({ status }) => status);
        assert.deepEqual(statuses.sort(), [200, 503]);
        await Promise.all(requests);
      },
    ),
    test(
      "G24",
      "T",
      "the server stops while scripts run",
      "who ends in time may finish; who does not gets TERM, then KILL; no new requests",
      shutdown,
    ),
    test(
      "G25",
      "C",
      "the system has no process or descriptor left for a script",
      "503 with Retry-After",
      async () => {
        const processes = Object.create(currentRuntime().processes, {
          spawn: {
            value: () => Promise.reject(new SpawnError("exhausted", "Resource temporarily unavailable")),
          },
        });
        const server = await serving({ processes });
        const response = await ask(server, "GET /cgi-bin/hello.sh");
        expectStatus(response, 503);
        assert.match(response.header("retry-after") ?? "", /^\d+$/);
        await server.message("hello.sh", /Resource temporarily unavailable/);
      },
    ),
  ],
}, ["G21", "G22"]);

/** What comes after the head, the second line of it only once the first has arrived. */
async function streamed(name: string, head: string, version: string): Promise<string> {
  const go = freshPath();
  const path = shell(name, `${head}; echo working...; ${waitFor(go)}; echo 'delayed hello'`);
  return await talk(await usualServer(), async (connection) => {
    await connection.send(
      version === "" ? requestHead("GET", path, "Connection: close") : `GET ${path} ${version}\r\n\r\n`,
    );
    const response = await connection.head();
    assert.equal(response.status, 200);
    assert.equal(response.header("transfer-encoding"), version === "" ? "chunked" : null);
    const seen = await readUntil(connection, /working\.\.\.\n/);
    assert.doesNotMatch(seen, /delayed/);
    release(go);
    await connection.ended();
    return seen + toLatin1(connection.take());
  });
}

async function readUntil(connection: RawConnection, wanted: RegExp): Promise<string> {
  let seen = "";
  while (!wanted.test(seen)) seen += toLatin1((await connection.received(1), connection.take()));
  return seen;
}

async function sequential(): Promise<void> {
  const server = await usualServer();
  const descriptors = () => readdirSync("/proc/self/fd").length;
  const get = async () => expectText(await ask(server, "GET /cgi-bin/hello.sh"), "Hello World\n");
  for (let count = 0; count < 10; count++) await get();
  const before = descriptors();
  for (let count = 0; count < 200; count++) await get();
  await until(() => descriptors() <= before + 5, `no more than ${before + 5} descriptors`);
  await until(() => zombies() === 0, "no zombie");
}

/** Ended children of this process that nobody has asked for. */
function zombies(): number {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const [, state, parent] = /\) (\w) (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "latin1")) ?? [];
      return state === "Z" && parent === String(process.pid);
    } catch {
      return false;
    }
  }).length;
}

async function shutdown(): Promise<void> {
  const go = freshPath();
  const pids = freshPath();
  const server = await serving({ timeouts: { grace: 0.2 } });
  const good = shell("g24-good.sh", `echo $$ >>'${pids}'; ${waitFor(go)}; ${HEAD}; echo finished`);
  const bad = shell("g24-bad.sh", `trap '' TERM; echo $$ >>'${pids}'; while :; do sleep 0.05; done`);
  const connections = await Promise.all([good, bad].map(async (path) => {
    const connection = await connect(server);
    await connection.send(get(path));
    return connection;
  }));
  const running = await numbersIn(pids, 2);
  const late = await connect(server);
  const closed = server.close(1500);
  await late.send(get("/cgi-bin/hello.sh")).catch(() => {});
  const refused = await late.response().catch(() => null);
  if (refused !== null) expectStatus(refused, 503);
  release(go);
  expectText(await connections[0]!.response(), "finished\n");
  await closed;
  assert.equal((await server.exit("g24-bad.sh")).signal, "SIGKILL");
  await allGone(running);
  for (const connection of [...connections, late]) connection.close();
}
