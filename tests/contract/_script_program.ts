/**
 * A program that does one thing as a script: the word in `DO` says which. It says what it has seen in JSON, to standard
 * error.
 *
 * @module
 */

// deno-lint-ignore-file no-console

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import process from "node:process";
import "../../adapters/shared/auto_script.ts";
import { ClosedOutputError, currentScript } from "../../src/runtime.ts";

const script = currentScript();
const { log } = console;

function say(what: unknown): void {
  script.stderr(`${JSON.stringify(what)}\n`);
}

async function read(limit: number | null): Promise<number[]> {
  const sizes: number[] = [];
  for await (const piece of script.stdin(limit)) sizes.push(piece.length);
  return sizes;
}

/** A stream that was imported by its name, before. */
async function named(): Promise<void> {
  const { stdout } = await import("node:process");
  script.prepare();
  stdout.write("by name\n");
  await new Promise((resolve) => setTimeout(resolve, 50));
}

async function stop(): Promise<void> {
  const stopped = new Promise((resolve) => script.onStop(() => resolve("stopped")));
  // Some runtimes end a process in which nothing is under way but a promise.
  const alive = setInterval(() => {}, 1000);
  say("ready");
  say(await stopped);
  clearInterval(alive);
}

const programs: Readonly<Record<string, () => unknown>> = {
  facts() {
    const { BYTES, UMLAUT, EMPTY } = script.environment();
    say({ args: script.args, BYTES, UMLAUT, EMPTY });
  },
  unset() {
    script.unset("SECRET");
    say([
      process.env["SECRET"] ?? null,
      execFileSync("/bin/sh", ["-c", "echo ${SECRET-none}"], { encoding: "utf8" }),
    ]);
  },
  async five() {
    const sizes = await read(5);
    say(sizes.reduce((sum, size) => sum + size, 0));
  },
  async all() {
    const sizes = await read(null);
    say([sizes.reduce((sum, size) => sum + size, 0), Math.max(0, ...sizes) <= 65_536]);
  },
  async nothing() {
    say(await read(0));
  },
  /** Reads one piece, and does something else for a while. */
  async lazily() {
    const reader = script.stdin(null).getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 200));
  },
  async cancels() {
    const reader = script.stdin(null).getReader();
    await reader.read();
    await reader.cancel();
    say("cancelled");
  },
  /** Writes until it has to wait, and says how much it has got rid of. */
  async blocks() {
    let written = 0;
    const piece = new Uint8Array(10_000).fill(120);
    const timer = setInterval(() => {
      clearInterval(timer);
      say(written);
    }, 300);
    for (; written < 3_000_000; written += piece.length) await script.stdout(piece);
    say("all");
  },
  async closed() {
    say("ready");
    try {
      for (;;) await script.stdout(new Uint8Array(10_000));
    } catch (error) {
      writeFileSync(process.env["MARK"] as string, String(error instanceof ClosedOutputError));
      // Nobody is there for this one either.
      script.stderr("x".repeat(1000));
    }
  },
  async prints() {
    script.prepare();
    log("log kept from before");
    for (const name of ["log", "info", "debug", "warn", "error", "dir"] as const) console[name](`by ${name}`);
    console.trace("by trace");
    console.table([["by table"]]);
    console.group("by group");
    console.groupEnd();
    console.time("by time");
    console.timeEnd("by time");
    console.count("by count");
    process.stdout.write("by stream\n");
    say(process.stdout instanceof process.stderr.constructor);
    await script.stdout(new TextEncoder().encode("OUT"));
  },
  stop,
  named,
  /** Ends while there is much to wait for. */
  async ends() {
    setInterval(() => {}, 1000);
    void script.stdin(null).getReader().read();
    void script.stdout(new Uint8Array(1_000_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    script.exit(7);
  },
  response() {
    script.prepare();
    say([
      new Response("text").headers.get("content-type"),
      new Response("<p>", { headers: { "content-type": "text/html" } }).headers.get("content-type"),
      new Response(null).headers.get("content-type"),
      Response.json({}).headers.get("content-type"),
      new Response("x") instanceof Response,
    ]);
  },
};

await programs[process.env["DO"] as string]?.();
script.exit(0);
