/** What `ScriptProcess` owes: this process, as a CGI script. */

import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it, test } from "node:test";
import { needsProc, runModule, runtime, temporaryDirectory, until } from "../_runtime.ts";

// The compiled tests have another extension.
const extension = /\.[a-z]+$/.exec(import.meta.url)?.[0] ?? ".ts";
const program = new URL(`./_script_program${extension}`, import.meta.url);
const PATH = process.env["PATH"] ?? "";

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** What `/bin/sh` does in place of starting it: `exec "$@"`. */
  readonly through?: string;
  readonly stdin?: number;
}

function start(does: string, { env = {}, args = [], through, stdin }: Options = {}) {
  const command = runModule(program, args);
  const [file, ...words] = through === undefined ? command : ["/bin/sh", "-c", through, "sh", ...command];
  const child = spawn(file as string, words, {
    env: { PATH, NO_COLOR: "1", DO: does, ...env },
    stdio: [stdin ?? "pipe", "pipe", "pipe"],
  }) as ChildProcessWithoutNullStreams;
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  // It may end before it has read.
  child.stdin?.on("error", () => {});
  const ended = new Promise<{ readonly code: number | null; readonly signal: string | null }>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  return {
    child,
    ended,
    /** What it has said, once it has. */
    async said(count = 1): Promise<unknown[]> {
      const lines = () => stderr.split("\n").slice(0, -1);
      await until(() => lines().length >= count || child.exitCode !== null, `it says something: ${stderr}`);
      if (lines().length < count) await ended;
      return lines().map((line) => JSON.parse(line));
    },
    stderr: () => stderr,
  };
}

/** Runs it to its end, and returns all that it has said. */
async function run(does: string, options: Options & { readonly input?: string } = {}): Promise<unknown[]> {
  const { child, ended, said } = start(does, options);
  child.stdout.resume();
  child.stdin?.end(options.input ?? "");
  assert.deepEqual(await ended, { code: 0, signal: null });
  return await said(0);
}

describe("the environment", () => {
  it("is there, with the arguments, byte for byte", { skip: needsProc }, async () => {
    const through = 'BYTES=$(printf "a\\377\\303\\274\\303") exec "$@"';
    const env = { UMLAUT: "\u00fc\u65e5\u{1f600}", EMPTY: "" };
    assert.deepEqual(await run("facts", { env, through, args: ["/x", "-y"] }), [
      { args: ["/x", "-y"], BYTES: "a\udcff\u00fc\udcc3", ...env },
    ]);
  });

  it("loses what is unset, also for the programs that are started", async () => {
    assert.deepEqual(await run("unset", { env: { SECRET: "x" } }), [[null, "none\n"]]);
  });
});

describe("standard input", () => {
  it("is read no further than its limit", async () => {
    // The rest is there for who comes after the script.
    const through = String.raw`"$@"; printf '"%s"\n' "$(cat)" >&2`;
    assert.deepEqual(await run("five", { input: "hello world", through }), [5, " world"]);
    assert.deepEqual(await run("nothing", { input: "hello" }), [[]]);
  });

  it("is read to its end: a pipe, a file, nothing", async (t) => {
    assert.deepEqual(await run("all", { input: "x".repeat(500_000) }), [[500_000, true]]);
    assert.deepEqual(await run("all"), [[0, true]]);
    const path = join(await temporaryDirectory(t), "input");
    writeFileSync(path, "x".repeat(300_000));
    const file = openSync(path, "r");
    assert.deepEqual(await run("all", { stdin: file }), [[300_000, true]]);
    closeSync(file);
    assert.deepEqual(await run("all", { through: 'exec "$@" </dev/null' }), [[0, true]]);
  });

  it("is read when it is asked for, a piece at a time", async (t) => {
    const path = join(await temporaryDirectory(t), "input");
    writeFileSync(path, "x".repeat(3_000_000));
    for (const through of ['cat "$INPUT" | { "$@"; wc -c >&2; }', '{ "$@"; wc -c >&2; } <"$INPUT"']) {
      const [left] = await run("lazily", { through, env: { INPUT: path } });
      assert.ok(
        left as number >= 3_000_000 - 2 * 65_536 && left as number < 3_000_000,
        `${left} of ${through}`,
      );
    }
  });

  it("can be left", async () => {
    const { child, ended, said } = start("cancels");
    child.stdin.write("x".repeat(200_000));
    assert.deepEqual(await said(), ["cancelled"]);
    assert.deepEqual(await ended, { code: 0, signal: null });
  });
});

describe("standard output", () => {
  it("takes as much as is read", async () => {
    const { child, ended, said } = start("blocks");
    child.stdout.pause();
    const [written] = await said();
    assert.ok(typeof written === "number" && written < 1_000_000, `${written}`);
    let size = 0;
    child.stdout.on("data", (bytes: Uint8Array) => size += bytes.length).resume();
    await ended;
    assert.deepEqual([size, (await said()).at(-1)], [3_000_000, "all"]);
  });

  it("says when nobody reads any more, also when nobody hears of it", async (t) => {
    const mark = join(await temporaryDirectory(t), "mark");
    const { child, ended, said } = start("closed", { env: { MARK: mark } });
    await said();
    child.stdout.destroy();
    child.stderr.destroy();
    assert.deepEqual(await ended, { code: 0, signal: null });
    assert.ok(existsSync(mark));
    assert.equal(readFileSync(mark, "utf8"), "true");
  });

  it("has nothing of what the program prints", async () => {
    const { child, ended, stderr } = start("prints");
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
    await ended;
    assert.equal(stdout, "OUT");
    const printed = stderr();
    for (
      const word of [
        "log",
        "info",
        "debug",
        "warn",
        "error",
        "dir",
        "trace",
        "table",
        "group",
        "time",
        "count",
      ]
    ) {
      assert.ok(printed.includes(`by ${word}`), `${word}: ${printed}`);
    }
    for (const words of ["log kept from before", "by stream", "true\n"]) {
      assert.ok(printed.includes(words), words);
    }
  });
});

test("a stream that was imported by its name is caught by Deno alone", async () => {
  const { child, ended } = start("named");
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
  await ended;
  assert.equal(stdout, runtime.name === "deno" ? "" : "by name\n");
});

test("a Response says that it is text, as the Fetch standard has it, and nothing that it is not", async () => {
  const [types] = await run("response") as [string[]];
  const [text, html, none, json, isResponse] = types;
  assert.match(text!, /^text\/plain; ?charset=utf-8$/i);
  assert.deepEqual([html, none, isResponse], ["text/html", null, true]);
  assert.match(json!, /^application\/json/);
});

test("a server can end it, and it hears of that", async () => {
  const { child, ended, said } = start("stop");
  await said();
  // Not `child.kill()`: Deno would say that the signal was the end of it.
  process.kill(child.pid as number, "SIGTERM");
  assert.deepEqual(await ended, { code: 0, signal: null });
  assert.deepEqual(await said(2), ["ready", "stopped"]);
});

test("it ends at once, whatever it waits for", async () => {
  const { child, ended } = start("ends");
  child.stdout.pause();
  // The pipe that is not read is not in the way.
  const exited = new Promise((resolve) => child.once("exit", resolve));
  assert.equal(await exited, 7);
  child.stdout.resume();
  await ended;
});
