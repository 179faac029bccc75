/**
 * Group G, first part: clients that leave, time limits, scripts that fail and what they leave behind.
 *
 * @module
 */

import assert from "node:assert/strict";

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { get, requestHead, toLatin1 } from "../../_http.ts";
import {
  ask,
  askBroken,
  expectStatus,
  expectText,
  requestBytes,
  type Served,
  serving,
  talk,
  usualServer,
} from "./_ask.ts";
import { http2Case } from "./_http2.ts";
import { allGone, freshPath, HEAD, numbersIn, release, shell, text, waitFor } from "./_scripts.ts";
import { together } from "./_together.ts";

/** Time from the request to the end of the connection, in milliseconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Clients that leave, time limits, failures, what is left behind. */
export const processCases: ConformanceSection = together({
  title: "G. Processes and time",
  cases: [
    test(
      "G1",
      "T",
      "17 MB of output; the client reads 5000 bytes and closes",
      "the script is gone",
      async () => {
        const pids = freshPath();
        const path = shell("g1.sh", `echo $$ >'${pids}'; ${HEAD}; exec head -c 17000000 /dev/zero`);
        await leave(path, 5000, "close");
        await allGone(await numbersIn(pids, 1));
      },
    ),
    test(
      "G2",
      "T",
      "output without an end; the connection breaks after 50 KiB",
      "the script is ended, the handler's work is over",
      async () => {
        const path = shell("g2.sh", `${HEAD}; exec yes`);
        await leave(path, 51_200, "reset");
        await (await usualServer()).exit("g2.sh");
      },
    ),
    test(
      "G3",
      "C",
      "the client closes while the script is silent: before its head, and after it",
      "the script is gone, long before its next write",
      async () => {
        for (const [name, before] of [["head", HEAD], ["silent", ":"]] as const) {
          const pids = freshPath();
          const path = shell(
            `g3-${name}.sh`,
            `${before}; ${name === "head" ? "echo begun;" : ""} echo $$ >'${pids}'; exec sleep 90`,
          );
          await talk(await usualServer(), async (connection) => {
            await connection.send(get(path));
            if (name === "head") await connection.head();
            await numbersIn(pids, 1);
          });
          await allGone(await numbersIn(pids, 1));
        }
      },
    ),
    test(
      "G4",
      "T",
      "a head, a line, sleep 99; idle limit 0.3 s",
      "broken off soon after the limit",
      async () => {
        const server = await serving({ timeouts: { idle: 0.3 } });
        const path = shell("g4.sh", `${HEAD}; echo 'before sleep'; exec sleep 99`);
        const ms = await timed(() => brokenOff(server, path, /before sleep/));
        assert.ok(ms >= 290 && ms < 5000, `${ms} ms`);
        await server.message("g4.sh", /timeouts\.idle/);
      },
    ),
    test(
      "G5",
      "T",
      "the same with no time between TERM and KILL, and a script that ignores TERM",
      "gone soon after the limit",
      async () => {
        const server = await serving({ timeouts: { idle: 0.3, grace: 0 } });
        const path = shell("g5.sh", `trap '' TERM; ${HEAD}; echo begun; while :; do sleep 0.1; done`);
        const ms = await timed(async () => {
          await brokenOff(server, path, /begun/);
          assert.equal((await server.exit("g5.sh")).signal, "SIGKILL");
        });
        assert.ok(ms < 5000, `${ms} ms`);
      },
    ),
    test("G6", "T", "a script that ignores TERM; limit 0.3 s, grace 0.3 s", "killed after both", async () => {
      const server = await serving({ timeouts: { firstByte: 0.3, grace: 0.3 } });
      const path = shell("g6.sh", `trap '' TERM; while :; do sleep 0.1; done`);
      const ms = await timed(async () => {
        expectStatus(await ask(server, `GET ${path}`), 504);
        assert.equal((await server.exit("g6.sh")).signal, "SIGKILL");
      });
      assert.ok(ms >= 590 && ms < 8000, `${ms} ms`);
    }),
    test("G7", "T", "silent before the head until the limit", "504", async () => {
      const server = await serving({ timeouts: { firstByte: 0.2 } });
      expectStatus(await ask(server, `GET ${shell("g7.sh", "exec sleep 90")}`), 504);
      await server.message(
        "g7.sh",
        /answered 504: no headers from the script for .* s \(timeouts\.firstByte/,
      );
    }),
    test(
      "G8",
      "C",
      "a limit of 1.5 s, output closed by nobody",
      "counted once: over before twice the limit",
      async () => {
        const server = await serving({ timeouts: { firstByte: 1.5, grace: 0.1 } });
        const path = shell("g8.sh", `printf 'Content-Type: text/plain\\n'; exec sleep 90`);
        const ms = await timed(async () => expectStatus(await ask(server, `GET ${path}`), 504));
        assert.ok(ms >= 1490 && ms < 3000, `${ms} ms`);
      },
    ),
    test(
      "G9",
      "C",
      "a byte every 0.1 s, for longer than the idle limit of 0.8 s; then with a total limit",
      "not ended by the idle limit; ended by the total limit",
      async () => {
        const path = shell(
          "g9.sh",
          `${HEAD}; for i in 1 2 3 4 5 6 7 8 9 a b c; do printf $i; sleep 0.1; done`,
        );
        expectText(await ask(await serving({ timeouts: { idle: 0.8 } }), `GET ${path}`), "123456789abc");
        const limited = await serving({ timeouts: { idle: 5, total: 0.5 } });
        await brokenOff(limited, path, /1/);
        await limited.message("g9.sh", /timeouts\.total/);
      },
    ),
    test("G10", "T", "a script whose child sleeps, and a time limit", "the child is gone, too", async () => {
      const pids = freshPath();
      const server = await serving({ timeouts: { firstByte: 0.2 } });
      const path = shell(
        "g10.sh",
        `sleep 90 & (sleep 90 & echo $! >>'${pids}'; wait) & echo $$ $! >>'${pids}'; wait`,
      );
      expectStatus(await ask(server, `GET ${path}`), 504);
      await allGone(await numbersIn(pids, 3));
    }),
    test(
      "G11",
      "T",
      "a head and a text, then exit 1, over HTTP/1.0",
      "a reset: no clean end",
      () => fails("g11.sh", "exit 1", "HTTP/1.0", "reset"),
    ),
    test(
      "G12",
      "T",
      "the same, ended by a signal",
      "a reset: no clean end",
      () => fails("g12.sh", "kill -9 $$", "HTTP/1.0", "reset"),
    ),
    test(
      "G13",
      "T",
      "the same two over HTTP/1.1",
      "chunks without the last one, and the connection is closed",
      async () => {
        await fails("g13-exit.sh", "exit 1", "HTTP/1.1", null);
        await fails("g13-kill.sh", "kill -9 $$", "HTTP/1.1", null);
      },
    ),
    http2Case,
    test(
      "G15",
      "T",
      "a whole answer, output closed, the script goes on",
      "the answer is complete; the script may work on, and is reaped",
      async () => {
        const go = freshPath();
        const path = shell("g15.sh", `${HEAD}; echo answer; exec >&- ; ${waitFor(go)}`);
        const server = await usualServer();
        expectText(await ask(server, `GET ${path}`), "answer\n");
        assert.equal(server.hasRun("g15.sh"), false);
        release(go);
        assert.equal((await server.exit("g15.sh")).code, 0);
      },
    ),
    test(
      "G16",
      "T",
      "the script ends, but a process that it started holds its output",
      "the answer ends after a short grace, and that process with it",
      async () => {
        const pids = freshPath();
        const path = shell("g16.sh", `${HEAD}; echo answer; sleep 90 & echo $! >'${pids}'`);
        const ms = await timed(async () =>
          expectText(await ask(await usualServer(), `GET ${path}`), "answer\n")
        );
        assert.ok(ms < 5000, `${ms} ms`);
        await allGone(await numbersIn(pids, 1));
      },
    ),
    test(
      "G26",
      "T",
      "an idle limit of 0.3 s, a head after 0.6 s",
      "answered: until the head another limit counts",
      async () => {
        const server = await serving({ timeouts: { idle: 0.3, firstByte: 10 } });
        expectText(await ask(server, `GET ${shell("g26.sh", `sleep 0.6; ${HEAD}; echo late`)}`), "late\n");
      },
    ),
    test(
      "G27",
      "T",
      "a body that the script never reads, nor does it answer; a limit",
      "504, and the script is ended",
      async () => {
        const server = await serving({ timeouts: { firstByte: 0.3 } });
        const body = text(2 ** 20);
        const path = shell("g27.sh", "exec sleep 90");
        const response = await askBroken(
          server,
          requestBytes(`POST ${path}`, [`Content-Length: ${body.length}`], body),
          "POST",
        );
        assert.equal(response?.status, 504);
        assert.notEqual((await server.exit("g27.sh")).signal, null);
      },
    ),
    test("G28", "C", "SIGPIPE in a script's child", "ends it, as by default", async () => {
      const path = shell("g28.sh", `${HEAD}; sh -c 'kill -PIPE $$; echo alive'; echo "status $?"`);
      expectText(await ask(await usualServer(), `GET ${path}`), "status 141\n");
    }),
    test(
      "G29",
      "C",
      "the descriptors of a script",
      "0, 1 and 2; none that this server opened (Deno and Node pass on those it was itself started with)",
      descriptors,
      {
        unless: process.platform === "linux" ? undefined : "There is no /proc.",
      },
    ),
  ],
});

async function leave(path: string, bytes: number, how: "close" | "reset"): Promise<void> {
  await talk(await usualServer(), async (connection) => {
    await connection.send(get(path));
    await connection.head();
    await connection.received(bytes);
    connection[how]();
  });
}

/** A response that has begun and does not look complete. */
async function brokenOff(server: Served, path: string, begun: RegExp): Promise<void> {
  const response = await askBroken(server, requestBytes(`GET ${path}`));
  if (response === null) return;
  assert.equal(response.complete, false);
  assert.match(toLatin1(response.raw), begun);
}

/** The script waits until what it has written has arrived: else the failure would be known before anything was sent. */
async function fails(name: string, end: string, version: string, how: "reset" | "fin" | null): Promise<void> {
  const go = freshPath();
  const path = shell(name, `${HEAD}; echo begun; ${waitFor(go)}; ${end}`);
  const server = await usualServer();
  await talk(server, async (connection) => {
    await connection.send(version === "HTTP/1.0" ? `GET ${path} HTTP/1.0\r\n\r\n` : requestHead("GET", path));
    const head = await connection.head();
    assert.equal(head.status, 200);
    let seen = "";
    while (!seen.includes("begun")) seen += toLatin1((await connection.received(1), connection.take()));
    release(go);
    const ended = await connection.ended();
    seen += toLatin1(connection.take());
    if (how !== null) assert.equal(ended, how);
    else assert.doesNotMatch(seen, /\r\n0\r\n/);
  });
  await server.message(name, /response broken off: (?:exit status 1|ended by SIGKILL)/);
}

async function descriptors(): Promise<void> {
  // What the tests themselves were started with, and what every program that they start inherits.
  const inherited = readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1] ??
        "0";
      return (parseInt(flags, 8) & 0o2000000) === 0;
    } catch {
      return false;
    }
  });
  const { text } = await ask(await usualServer(), `GET ${shell("g29.sh", `${HEAD}; exec ls /proc/self/fd`)}`);
  const found = text.trim().split("\n").filter((descriptor) => !inherited.includes(descriptor));
  // One more is the folder that ls reads.
  const own = found.filter((descriptor) => !["0", "1", "2"].includes(descriptor));
  assert.ok(own.length <= 1, text);
  assert.match(text, /^0\n1\n/);
}
