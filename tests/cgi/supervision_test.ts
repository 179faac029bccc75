/** Scripts that are watched: their time, their clients, what they leave behind, and how many they are. */

import assert from "node:assert/strict";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import process from "node:process";
import { afterEach, describe, it } from "node:test";
import { connect, get, requestHead, toLatin1 } from "../_http.ts";
import { type Served, type ServedOptions, serveScripts, serveShell } from "./_served.ts";
import { allGone, brokenOff, freshPaths, HEAD, pidsIn, until } from "./_shell.ts";

const freshPath = freshPaths();
let served: Served;

async function shell(source: string, options: ServedOptions = {}): Promise<Served> {
  return served = await serveShell(source, options);
}

afterEach(() => served?.close());

/** Holds up all that this process does, for as many milliseconds. */
function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe("cgi() and time", () => {
  it("answers 504 when there is no head in time", async () => {
    await shell("exec sleep 60", { timeouts: { firstByte: 0.2 } });
    const started = performance.now();
    assert.equal((await served.get()).status, 504);
    assert.ok(performance.now() - started < 5000);
    assert.equal((await served.exit()).signal, "SIGTERM");
    await served.message(
      /^answered 504: no headers from the script for 0\.2 s \(timeouts\.firstByte, --cgi-timeout\)/,
    );
  });

  it("breaks the answer off when the script falls silent", async () => {
    await shell(`${HEAD}; echo before; exec sleep 60`, { timeouts: { idle: 0.2 } });
    const response = await served.get();
    assert.equal(response.complete, false);
    assert.match(toLatin1(response.raw), /before/);
    await served.message(
      /^response broken off: nothing more from the script for 0\.2 s \(timeouts\.idle, --cgi-idle-timeout\)/,
    );
  });

  it("does not take a script that goes on for silent", async () => {
    await shell(`${HEAD}; for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done`, { timeouts: { idle: 0.4 } });
    const response = await served.get();
    assert.equal(response.complete, true);
    assert.equal(response.text, "1\n2\n3\n4\n5\n6\n");
  });

  it("does not hold against a script what arrived while this process stood still", async () => {
    await shell(`${HEAD}; echo 1; sleep 0.4; echo 2; sleep 0.5; echo 3`, { timeouts: { idle: 0.6 } });
    const connection = await connect(served);
    await connection.send(get("/"));
    await connection.received(1);
    standStill(800);
    const response = await connection.response();
    connection.close();
    assert.equal(response.complete, true);
    assert.equal(response.text, "1\n2\n3\n");
  });

  it("has its limits while this process stands still again and again", async () => {
    await shell(`${HEAD}; echo 1; exec sleep 60`, { timeouts: { idle: 0.2 } });
    const busy = setInterval(standStill, 1, 60);
    const response = await served.get();
    clearInterval(busy);
    assert.equal(response.complete, false);
    await served.message(/^response broken off: nothing more from the script for 0\.2 s/);
  });

  it("ends a script that goes on for too long", async () => {
    await shell(`${HEAD}; while :; do echo x; sleep 0.05; done`, { timeouts: { idle: 5, total: 0.4 } });
    const response = await served.get();
    assert.equal(response.complete, false);
    await served.message(
      /^response broken off: the script did not end within 0\.4 s \(timeouts\.total, --cgi-total-timeout\)/,
    );
    await served.exit();
  });

  it("forces a script that does not want to end, and its children", async () => {
    const pids = freshPath();
    await shell(
      `trap '' TERM; sleep 60 & echo $$ $! >${pids}; while :; do sleep 0.05; done`,
      { timeouts: { firstByte: 0.3, grace: 0.2 } },
    );
    assert.equal((await served.get()).status, 504);
    assert.equal((await served.exit()).signal, "SIGKILL");
    await allGone(await pidsIn(pids, 2));
  });

  it("has no limits where they are switched off", async () => {
    await shell(`sleep 0.2; ${HEAD}; sleep 0.2; echo end`, {
      timeouts: { firstByte: 0, idle: 0, total: Infinity },
    });
    assert.equal((await served.get()).text, "end\n");
  });
});

describe("cgi() and clients that leave", () => {
  it("ends a script that is silent before its head, and all it started", async () => {
    const pids = freshPath();
    await shell(`sleep 60 & echo $$ $! >${pids}; wait`);
    const connection = await connect(served);
    await connection.send(get("/"));
    const running = await pidsIn(pids, 2);
    connection.close();
    assert.equal((await served.exit()).signal, "SIGTERM");
    await allGone(running);
  });

  it("ends a script that is silent after its head", async () => {
    const stopped: unknown[] = [];
    await shell(`${HEAD}; echo begun; exec sleep 60`, { onExit: (exit) => void stopped.push(exit.stopped) });
    const connection = await connect(served);
    await connection.send(get("/"));
    await connection.head();
    await connection.received(5);
    connection.close();
    assert.equal((await served.exit()).signal, "SIGTERM");
    assert.deepEqual(stopped, ["client-gone"]);
    assert.deepEqual(served.messages().filter((message) => !/^started as root/.test(message)), []);
  });

  it("ends a script that writes without end", async () => {
    await shell(`${HEAD}; exec yes`);
    const connection = await connect(served);
    await connection.send(get("/"));
    await connection.head();
    await connection.received(5000);
    connection.reset();
    await served.exit();
  });

  it("ends a script whose request's body breaks off", async () => {
    const seen = freshPath();
    await shell(`cat >/dev/null; touch ${seen}; ${HEAD}`);
    const connection = await connect(served);
    await connection.send(requestHead("POST", "/", "Content-Length: 200000") + "x".repeat(100_000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    connection.close();
    assert.equal((await served.exit()).signal, "SIGTERM");
    assert.equal(existsSync(seen), false);
  });
});

describe("cgi() and what scripts leave behind", () => {
  it("ends the answer although something holds the pipe", async () => {
    const pids = freshPath();
    await shell(`${HEAD}; echo done; sleep 60 & echo $! >${pids}`);
    const started = performance.now();
    const response = await served.get();
    assert.equal(response.text, "done\n");
    assert.equal(response.complete, true);
    assert.ok(performance.now() - started < 5000);
    await allGone(await pidsIn(pids, 1));
  });

  it("still hands on what is in the pipe, and what is written after the script's end", async () => {
    await shell(`${HEAD}; (for i in 1 2 3; do sleep 0.1; echo $i; done) & exit 0`);
    const response = await served.get();
    assert.equal(response.text, "1\n2\n3\n");
    assert.equal(response.complete, true);
  });

  it("leaves no process behind that has closed its pipes", async () => {
    const pids = freshPath();
    await shell(`${HEAD}; sleep 60 >/dev/null 2>&1 & echo $! >${pids}`);
    assert.equal((await served.get()).status, 200);
    await allGone(await pidsIn(pids, 1));
  });

  it("forces one that does not want to end", async () => {
    const pids = freshPath();
    await shell(
      `${HEAD}; (trap '' TERM; while :; do sleep 0.05; done) >/dev/null 2>&1 & echo $! >${pids}`,
      { timeouts: { grace: 0.2 } },
    );
    assert.equal((await served.get()).status, 200);
    await allGone(await pidsIn(pids, 1));
  });

  it("lets a script that has closed its output work on", async () => {
    const go = freshPath();
    await shell(`${HEAD}; echo done; exec >&- ; ${until(go)}; echo late >&2`);
    const response = await served.get();
    assert.deepEqual([response.text, response.complete], ["done\n", true]);
    writeFileSync(go, "");
    assert.equal((await served.exit()).code, 0);
    assert.ok(served.events.some((event) => event.type === "script-stderr" && event.line === "late"));
  });
});

describe("cgi() and standard error", () => {
  it("logs it line by line, with script, process and request", async () => {
    await shell(`echo one >&2; ${HEAD}; printf 'two\\nthree' >&2; echo body`);
    assert.equal((await served.get()).text, "body\n");
    const { pid, requestId } = await served.exit();
    const lines = served.events.filter(({ type }) => type === "script-stderr");
    assert.deepEqual(
      lines,
      ["one", "two", "three"].map((line) => ({
        type: "script-stderr",
        line,
        script: "/bin/sh",
        pid,
        requestId,
      })),
    );
  });

  it("does not let a flood of it block the script or fill the log", async () => {
    await shell(`head -c 3000000 /dev/zero | tr '\\0' x >&2; ${HEAD}; echo body`, {
      limits: { stderr: 1000 },
    });
    assert.equal((await served.get()).text, "body\n");
    await served.exit();
    const lines = served.events.filter((event) => event.type === "script-stderr");
    assert.equal(
      lines.reduce((size, event) => size + (event.type === "script-stderr" ? event.line.length : 0), 0),
      1000,
    );
    await served.message(/^more than 1000 bytes on standard error/);
  });

  it("gives it to the hook in the place of the log", async () => {
    const heard: string[] = [];
    await shell(`echo hear me >&2; ${HEAD}`, {
      onStderr(line, { scriptFilename }) {
        heard.push(`${scriptFilename}: ${line}`);
        throw new Error("deaf");
      },
    });
    assert.equal((await served.get()).status, 200);
    await served.exit();
    assert.deepEqual(heard, ["/bin/sh: hear me"]);
    assert.equal(served.events.some(({ type }) => type === "script-stderr"), false);
    await served.message(/^the hook onStderr failed: Error: deaf$/);
  });

  it("tells the hook of the end, and survives it", async () => {
    const ends: unknown[] = [];
    await shell(`${HEAD}; exit 5`, {
      onExit({ code, signal, stopped, call, durationMs }) {
        ends.push([code, signal, stopped, call.scriptName, durationMs > 0]);
        throw new Error("not interested");
      },
    });
    await served.get();
    await served.message(/^the hook onExit failed: Error: not interested$/);
    assert.deepEqual(ends, [[5, null, null, "", true]]);
  });
});

describe("cgi() under load", () => {
  it("answers 503 when too many wait, with the time to come again", async () => {
    const go = freshPath();
    await shell(`${until(go)}; ${HEAD}`, { limits: { concurrent: 1, queue: 1 } });
    const three = [served.get(), served.get(), served.get()];
    const refused = await Promise.race(three);
    assert.equal(refused.status, 503);
    assert.match(refused.header("retry-after") ?? "", /^\d+$/);
    await served.message(/^answered 503: 1 scripts run and 1 requests wait/);
    writeFileSync(go, "");
    const statuses = (await Promise.all(three)).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, 200, 503]);
    assert.equal((await served.get()).status, 200);
  });

  it("answers 503 to who has waited for too long", async () => {
    const go = freshPath();
    await shell(`${until(go)}; ${HEAD}`, { limits: { concurrent: 1, wait: 0.1 } });
    const both = [served.get(), served.get()];
    const refused = await Promise.race(both);
    assert.equal(refused.status, 503);
    await served.message(/^answered 503: no place among the running scripts within 0\.1 s \(limits\.wait\)$/);
    writeFileSync(go, "");
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, 503]);
  });

  it("starts nothing for a client that left while it waited", async () => {
    const go = freshPath();
    await shell(`${until(go)}; ${HEAD}`, { limits: { concurrent: 1 } });
    const first = await connect(served);
    await first.send(get("/first"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = await connect(served);
    await second.send(get("/second"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    second.close();
    await served.event((event): event is Extract<typeof event, { type: "access" }> =>
      event.type === "access" && event.target === "/second"
    );
    writeFileSync(go, "");
    assert.equal((await first.response()).status, 200);
    first.close();
    assert.equal((await served.get("/third")).status, 200);
    await served.exit(2);
    assert.equal(served.events.filter(({ type }) => type === "script-exit").length, 2);
  });
});

describe("cgi().close()", () => {
  it("lets running scripts finish within the grace, and takes no more", async () => {
    const go = freshPath();
    await shell(`${HEAD}; echo begun; ${until(go)}; echo end`);
    const connection = await connect(served);
    await connection.send(get("/"));
    await connection.head();
    const closed = served.handler.close(10_000);
    const refused = await served.get();
    assert.equal(refused.status, 503);
    assert.match(refused.header("retry-after") ?? "", /^\d+$/);
    writeFileSync(go, "");
    await closed;
    assert.equal((await served.exit()).code, 0);
    connection.close();
  });

  it("then ends them", async () => {
    await shell(`trap 'exit 0' TERM; ${HEAD}; echo begun; while :; do sleep 0.05; done`);
    const connection = await connect(served);
    await connection.send(get("/"));
    await connection.head();
    await served.handler.close(50);
    await served.message(/^response broken off: the server is shutting down/);
    const { code, signal } = await served.exit();
    assert.deepEqual([code, signal], [0, null]);
    connection.close();
  });

  it("answers 503 to a script that had said nothing yet", async () => {
    const pids = freshPath();
    await shell(`echo $$ >${pids}; exec sleep 60`);
    const response = served.get();
    await pidsIn(pids, 1);
    await served.handler.close();
    assert.equal((await response).status, 503);
  });

  it("resolves at once when nothing runs", async () => {
    await shell(HEAD);
    await served.handler.close();
    await served.handler.close(1000);
  });
});

describe("cgi() as root", () => {
  const skip = process.getuid?.() === 0 ? false : "needs root";

  it("runs scripts as nobody, in groups that it can end", { skip }, async () => {
    const [pids, go] = [freshPath(), freshPath()];
    writeFileSync(pids, "", { mode: 0o666 });
    chmodSync(pids, 0o666);
    await shell(`sleep 60 & echo $$ $! >${pids}; ${HEAD}; id -u; ${until(go)}`, {
      defaultUser: true,
      timeouts: { idle: 0.3 },
    });
    const response = await brokenOff(served);
    assert.match(toLatin1(response?.raw ?? new Uint8Array()), /65534/);
    await served.message(/^started as root: scripts run as nobody/);
    await allGone(await pidsIn(pids, 2));
  });

  it("says so once", { skip }, async () => {
    served = await serveScripts({ root: "tests/fixtures/cgi-bin", defaultUser: true });
    for (let count = 0; count < 3; count++) {
      assert.equal((await served.get("/hello.sh")).text, "Hello World\n");
    }
    assert.equal(served.messages().filter((message) => /nobody/.test(message)).length, 1);
  });
});
