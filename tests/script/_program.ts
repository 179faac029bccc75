/**
 * A script: the first argument in `HANDLER` chooses what it does.
 *
 * @module
 */

// deno-lint-ignore-file no-console

import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import process from "node:process";
import { runAsCgi, type RunOptions, type ScriptHandler } from "../../src/script/mod.ts";

const { HANDLER = "", MARK = "", OPTIONS = "" } = process.env;
const { log } = console;

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function there(path: string): Promise<void> {
  while (!existsSync(path)) await later(5);
}

function streamOf(pull: UnderlyingDefaultSource<Uint8Array>["pull"], cancel?: () => void): ReadableStream {
  return new ReadableStream({ ...(pull && { pull }), ...(cancel && { cancel }) }, { highWaterMark: 0 });
}

const piece = new TextEncoder().encode("x".repeat(1000));

const handlers: Readonly<Record<string, ScriptHandler>> = {
  hello: ({ method, url }) => new Response(`${method} ${url}\n`),
  async echo(request) {
    return new Response(await request.text());
  },
  chatty() {
    console.log("one");
    log("two");
    console.info("three");
    console.table([{ a: 1 }]);
    console.count();
    process.stdout.write("four\n");
    return new Response("answer");
  },
  nothing: () => undefined,
  throws() {
    throw new RangeError("no\nwhere");
  },
  throwsText() {
    throw "a text";
  },
  noResponse: () => ({}) as Response,
  torn() {
    let pieces = 0;
    return new Response(streamOf(async (controller) => {
      await later(1);
      if (pieces++ < 2) controller.enqueue(piece);
      else controller.error(new Error("torn"));
    }));
  },
  tornAtOnce: () => new Response(streamOf((controller) => controller.error(new Error("torn")))),
  /** Goes on until nobody wants it. */
  endless(request) {
    request.signal.addEventListener("abort", () => process.stderr.write("aborted\n"));
    const body = streamOf(
      (controller) => controller.enqueue(piece),
      () => process.stderr.write("cancelled\n"),
    );
    return new Response(body, { headers: { "content-type": "text/plain" } });
  },
  /** Ends when the server says so. */
  async stops(request) {
    const stopped = new Promise((resolve) => request.signal.addEventListener("abort", resolve));
    process.stderr.write("ready\n");
    await stopped;
    process.stderr.write("stopped\n");
    return new Response("too late");
  },
  /** Never ends. */
  hangs() {
    process.stderr.write("ready\n");
    return new Promise(() => {});
  },
  afterwards(_request, _connection, context) {
    context.waitUntil(there(MARK).then(() => process.stderr.write("done\n")));
    context.waitUntil(Promise.reject(new Error("work failed")));
    return new Response("answer");
  },
  /** What would keep any program alive. */
  busy() {
    setInterval(() => {}, 1000);
    return new Response("answer");
  },
  proxy: (_request, connection) =>
    new Response(JSON.stringify([
      process.env["HTTP_PROXY"] ?? null,
      connection.HTTP_PROXY ?? null,
      execFileSync("/bin/sh", ["-c", "echo ${HTTP_PROXY-none}"], { encoding: "utf8" }).trim(),
    ])),
  exits() {
    process.on("exit", () => writeFileSync(MARK, "exit"));
    return new Response("answer");
  },
};

const options: RunOptions = OPTIONS === "hooks"
  ? {
    renderError: ({ status, message }) => new Response(`page ${status} ${message}`, { status: 200 }),
    onError: (error, request) => process.stderr.write(`hook: ${error} for ${request?.url}\n`),
  }
  : OPTIONS === "badPage"
  ? { renderError: () => Promise.reject(new Error("no page")) }
  : JSON.parse(OPTIONS || "{}");
const handler = handlers[HANDLER] as ScriptHandler;
await runAsCgi(handler, options);
