/**
 * Whoever reads the log may be slow, asleep or gone: requests are answered all the same, and what was dropped is counted.
 */

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { commandLine } from "../_command.ts";
import { connect, get } from "../_http.ts";
import { needsProc, until } from "../_runtime.ts";
import { makeFolder } from "./_folder.ts";

const folder = makeFolder({
  "index.html": "HOME",
  "cgi-bin/noisy": `#!/bin/sh
for line in 1 2 3 4 5 6 7 8 9 10; do echo "noise $line" >&2; done
printf 'Content-Type: text/plain\\n\\nquiet'
`,
});
after(folder.remove);

/** Enough for any buffer of the system, and for ours. */
const REQUESTS = 4000;
const LONG = "x".repeat(1000);

interface Reader {
  /** The server's standard error. */
  readonly stderr: number | "pipe";
  /** All there is to read until the server has ended. */
  readToEnd(child: ChildProcess): Promise<string>;
  close(): void;
}

/** A named pipe that nobody reads from. */
function fifo(): Reader {
  const path = join(folder.path, `fifo.${Math.random()}`);
  execFileSync("mkfifo", [path]);
  // Also for reading, so that there is a reader.
  const own = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  // An open file of its own: this one waits.
  const stderr = openSync(path, constants.O_WRONLY);
  return {
    stderr,
    async readToEnd(child) {
      const piece = new Uint8Array(65536);
      const decoder = new TextDecoder();
      let text = "";
      const read = () => {
        for (;;) {
          try {
            text += decoder.decode(piece.subarray(0, readSync(own, piece)), { stream: true });
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code === "EAGAIN") return;
            throw error;
          }
        }
      };
      await until(() => {
        read();
        return child.exitCode !== null;
      }, "the server has ended");
      read();
      return text;
    },
    close() {
      closeSync(own);
      closeSync(stderr);
    },
  };
}

/** What the runtime connects a child by: Node by a socket. */
function pipe(): Reader {
  return {
    stderr: "pipe",
    async readToEnd({ stderr }) {
      let text = "";
      stderr!.setEncoding("utf8").on("data", (piece: string) => text += piece);
      await once(stderr!, "end");
      return text;
    },
    close() {},
  };
}

async function start(stderr: Reader["stderr"], flags: readonly string[]): Promise<[ChildProcess, number]> {
  const [program, args] = commandLine(["0", "--directory", folder.path, "--cgi", ...flags]);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", stderr] });
  let text = "";
  for await (const piece of child.stdout!.setEncoding("utf8")) {
    text += piece;
    if (text.includes("\n")) break;
  }
  return [child, Number(/port (\d+)/.exec(text)?.[1])];
}

/** Asks many times over one connection, of which the server has not been told that it may close it. */
async function ask(port: number, path: string, times: number, status = 200): Promise<void> {
  const connection = await connect({ hostname: "127.0.0.1", port });
  const fields = ["Host: localhost", `User-Agent: ${LONG}`, `Referer: ${LONG}`];
  for (let sent = 0; sent < times; sent += 50) {
    const batch = Math.min(50, times - sent);
    const requests = connection.send(get(path, ...fields).repeat(batch));
    for (let n = 0; n < batch; n++) assert.equal((await connection.response()).status, status);
    await requests;
  }
  connection.close();
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, "exit");
  return child.exitCode;
}

for (const [what, reader] of [["a pipe", fifo], ["a socket or pipe of the runtime's", pipe]] as const) {
  for (const workers of [[], ["--workers", "2"]]) {
    const name = `${what} ${workers.join(" ")}`;
    test(`a reader of the log who is asleep keeps nobody waiting, and learns what was dropped: ${name}`, {
      skip: needsProc,
    }, async () => {
      const { stderr, readToEnd, close } = reader();
      const [child, port] = await start(stderr, ["--log", "json", ...workers]);
      try {
        await ask(port, "/", REQUESTS);
        await ask(port, "/cgi-bin/noisy", 5);
        const reading = readToEnd(child);
        process.kill(child.pid!, "SIGTERM");
        const text = await reading;
        assert.equal(await ended(child), 0);
        const events = text.trimEnd().split("\n").map((line) => JSON.parse(line));
        const kinds = ["access", "script-stderr", "script-exit"];
        const told = events.filter(({ type }) => kinds.includes(type)).length;
        const dropped = events.map(({ message }) =>
          Number(
            /^(\d+) lines of the log were dropped here, because standard error was not read$/.exec(message)
              ?.[1] ?? 0,
          )
        ).reduce((sum, lines) => sum + lines, 0);
        // More than that is kept in memory by nobody.
        assert.ok(dropped > 1000, `${dropped} dropped`);
        // One of each request, ten lines of each script; of scripts that have ended already the request says how.
        const least = REQUESTS + 5 + 50;
        assert.ok(told + dropped >= least && told + dropped < least + 20, `${told} told, ${dropped} dropped`);
      } finally {
        child.kill("SIGKILL");
        close();
      }
    });

    test(`a reader of the log who does not wake up does not keep the server from ending: ${name}`, async () => {
      const { stderr, close } = reader();
      const [child, port] = await start(stderr, ["--log", "combined", ...workers]);
      try {
        await ask(port, "/", 1000);
        process.kill(child.pid!, "SIGTERM");
        assert.equal(await ended(child), 0);
      } finally {
        child.kill("SIGKILL");
        close();
      }
    });
  }
}

test("readers of both streams who have gone: answers go on, and the server ends as ever", async () => {
  const [child, port] = await start("pipe", []);
  child.stdout!.destroy();
  child.stderr!.destroy();
  await ask(port, "/", 100);
  await ask(port, "/cgi-bin/noisy", 2);
  process.kill(child.pid!, "SIGTERM");
  assert.equal(await ended(child), 0);
});

for (const workers of [[], ["--workers", "2"]]) {
  test(`a file has each line whole, soon after the answer, and keeps it when the server is killed: ${workers.join(" ")}`, async () => {
    const path = join(folder.path, `log.${Math.random()}`);
    const file = openSync(path, "a");
    const [child, port] = await start(file, ["--log", "json", ...workers]);
    const lines = () => readFileSync(path, "utf8").split("\n").slice(0, -1);
    try {
      await Promise.all(
        ["/?a=%C3%A9", "/?b", "/", "/none"].map((target) =>
          ask(port, target, 200, target === "/none" ? 404 : 200)
        ),
      );
      await until(
        () => lines().filter((line) => line.includes('"access"')).length >= 800,
        "all lines are there",
      );
    } finally {
      child.kill("SIGKILL");
      closeSync(file);
    }
    await ended(child);
    const events = lines().map((line) => JSON.parse(line)).filter(({ type }) => type === "access");
    const asked = events.map(({ path, query }) => `${path} ${query}`);
    const times = (what: string) => asked.filter((one) => one === what).length;
    assert.deepEqual(
      [asked.length, times("/ a=%C3%A9"), times("/ b"), times("/ null"), times("/none null")],
      [
        800,
        200,
        200,
        200,
        200,
      ],
    );
  });
}
