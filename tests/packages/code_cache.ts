/**
 * What is compiled of the command, kept between its starts on Node and Bun: `adapters/node/code_cache.ts`,
 * `adapters/bun/code_cache.ts`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { exchange, get } from "../_http.ts";
import type { Fixture } from "./_fixture.ts";
import { programs } from "./_run.ts";

/** Tells of each script that is compiled, of each step that keeps one, and of what was kept and is loaded. */
const TELL = `const vm = require("node:vm");
const files = require("node:fs/promises");
const modules = require("node:module");
const fs = require("node:fs");
process.umask(0);
const { statSync } = fs;
fs.statSync = (path, ...args) => {
  if (process.env.BLIND && path === process.execPath) throw new Error("not allowed");
  return statSync(path, ...args);
};
const tell = (event) => process.stderr.write(JSON.stringify(event) + "\\n");
vm.Script = class extends vm.Script {
  constructor(code, options) {
    super(code, options);
    const { filename, cachedData } = options;
    const rejected = this.cachedDataRejected;
    tell({ step: "compiled", filename, cached: cachedData !== undefined, rejected, lines: code.split("\\n").length });
  }
};
const { createRequire } = modules;
modules.createRequire = (...args) => {
  const require = createRequire(...args);
  return (path) => {
    tell({ step: "required", filename: path });
    return require(path);
  };
};
for (const step of ["stat", "mkdir", "rename"]) {
  const call = files[step];
  files[step] = async (...args) => {
    try { return await call(...args); } finally { tell({ step }); }
  };
}`;

interface Event {
  readonly step: "compiled" | "required" | "stat" | "mkdir" | "rename";
  readonly filename?: string;
  readonly cached?: boolean;
  readonly rejected?: boolean;
  readonly lines?: number;
}

const BUN = programs.bun;

/** Tests it. */
export function testCodeCache(fixture: () => Fixture): void {
  test("what V8 compiled is kept beside the command, whole and for its owner to write, and taken by the next start", async (t) => {
    const command = await installed(fixture());
    const first = await start(command);
    t.after(first.stop);
    assert.deepEqual(first.compiled().map(({ filename }) => partOf(filename)), ["start", "node"]);
    assert.ok(first.compiled().every(({ cached }) => !cached));
    // An error says where it happened.
    for (const { filename, lines } of first.compiled()) {
      assert.equal(lines, (await readFile(filename!, "utf8")).split("\n").length - 1);
    }
    await first.ask();
    await first.happened("rename", 2);
    await first.stop();

    const folder = await cacheOf(command);
    assert.deepEqual((await readdir(folder)).map(partOf).sort(), ["node", "start"]);
    for (const [path, mode] of [[dirname(folder), 0o755], [folder, 0o755]] as const) {
      assert.equal((await stat(path)).mode & 0o777, mode);
    }
    for (const name of await readdir(folder)) {
      assert.match(name, /\.js\.bin$/);
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o644);
    }

    const second = await start(command);
    t.after(second.stop);
    assert.deepEqual(second.compiled().map(({ cached, rejected }) => [cached, rejected]), [[true, false], [
      true,
      false,
    ]]);
    await second.ask();
  });

  test("what is loaded later is kept too: of scripts, with the first that runs", async (t) => {
    const command = await installed(fixture());
    for (const cached of [false, true]) {
      const server = await start(command, ["--cgi"]);
      t.after(server.stop);
      const parts = server.compiled().map(({ filename }) => partOf(filename));
      assert.ok(parts.includes("cgi"), parts.join(" "));
      assert.ok(server.compiled().every((script) => script.cached === cached && script.rejected !== cached));
      await server.ask();
      if (!cached) await server.happened("rename", parts.length);
      await server.stop();
    }
  });

  test("what is not whole is not taken, and written anew", async (t) => {
    const command = await installed(fixture());
    await keep(t, command);
    const folder = await cacheOf(command);
    const path = join(folder, (await readdir(folder)).find((name) => partOf(name) === "start")!);
    const { size } = await stat(path);
    await truncate(path, size - 1000);
    const second = await start(command);
    t.after(second.stop);
    assert.deepEqual(second.compiled().map(({ rejected }) => rejected), [true, false]);
    await second.ask();
    await second.happened("rename", 1);
    assert.ok((await stat(path)).size > size - 1000);
  });

  test("NODE_DISABLE_COMPILE_CACHE keeps nothing and takes nothing", async (t) => {
    const command = await installed(fixture());
    await keep(t, command);
    const second = await start(command, [], { NODE_DISABLE_COMPILE_CACHE: "1" });
    t.after(second.stop);
    assert.deepEqual(second.compiled(), []);
    await second.ask();
  });

  test("a Node that may not look at itself keeps nothing", async (t) => {
    const server = await start(await installed(fixture()), [], { BLIND: "1" });
    t.after(server.stop);
    assert.deepEqual(server.compiled(), []);
    await server.ask();
  });

  test("on Bun, bytecode of all parts is made beside the command, for its owner to write, and taken by the next start", async (t) => {
    const command = await installed(fixture());
    const first = await start(command, ["--cgi"], {}, BUN);
    t.after(first.stop);
    await first.ask();
    await first.happened("rename", 1);
    await first.stop();
    assert.deepEqual(first.events().filter(({ step }) => step === "required"), []);

    const folder = await cacheOf(command);
    const parts = (await readdir(join(dirname(command), "cli"))).sort();
    const made = parts.flatMap((name) => [name, `${name}.jsc`]);
    assert.deepEqual((await readdir(folder)).sort(), made.sort());
    for (const path of [folder, dirname(folder)]) assert.equal((await stat(path)).mode & 0o777, 0o755);
    for (const name of made) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o644);

    const second = await start(command, ["--cgi"], {}, BUN);
    t.after(second.stop);
    const required = second.events().filter(({ step }) => step === "required");
    const names = required.map(({ filename }) => partOf(filename));
    for (const part of ["start", "bun", "cgi"]) assert.ok(names.includes(part), names.join(" "));
    assert.equal(new Set(names).size, names.length);
    for (const { filename } of required) {
      assert.equal(dirname(filename!), folder);
      // Bun takes the bytecode when the file says so.
      assert.match(await readFile(filename!, "latin1"), /^\/\/ @bun @bytecode @bun-cjs\n/);
    }
    await second.ask();
    await second.stop();

    const third = await start(command, [], { NODE_DISABLE_COMPILE_CACHE: "1" }, BUN);
    t.after(third.stop);
    await third.ask();
    assert.deepEqual(third.events().filter(({ step }) => step === "required"), []);
  });

  for (const program of ["node", BUN]) {
    test(`nothing is written to a package that is somebody else's: ${basename(program)}`, {
      skip: process.getuid?.() === 0 ? false : "only root can give a folder to somebody else",
    }, async (t) => {
      const command = await installed(fixture());
      await chown(dirname(command), 65534, 65534);
      const server = await start(command, [], {}, program);
      t.after(server.stop);
      await server.ask();
      await server.happened("stat", 1);
      await server.stop();
      assert.deepEqual(server.events().filter(({ step }) => step === "mkdir" || step === "rename"), []);
      assert.ok(!(await readdir(dirname(command))).includes(".cache"));
    });
  }

  test("what parts of the command export keeps its value: a script hands it on once", () => {
    for (const [path, bytes] of fixture().packed.files) {
      if (!path.startsWith("/dist/cli/")) continue;
      const code = new TextDecoder().decode(bytes);
      const exported = /^export \{ (.+) \};\s*$/m.exec(code)?.[1];
      assert.ok(exported !== undefined && !/^export (?!\{ .+ \};$)/m.test(code), path);
      for (const name of exported.split(", ").map((value) => value.split(" ")[0]!)) {
        const changed = String.raw`(?<!(?:const|let|var) )\b${
          name.replace("$", "\\$")
        } *(?:[^\s=!<>]*=(?![=>])|\+\+|--)`;
        const declared = new RegExp(`^(?:let|var) ${name.replace("$", "\\$")}\\b`, "m").test(code);
        assert.ok(!declared || !new RegExp(changed).test(code), `${path}: ${name}`);
      }
    }
  });
}

/** A copy of the command for one test; its path. */
async function installed({ folder, packed }: Fixture): Promise<string> {
  const home = await folder("code-cache");
  for (const [path, bytes] of packed.files) {
    if (!/^\/(?:package\.json$|dist\/cli)/.test(path)) continue;
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), bytes);
  }
  await mkdir(join(home, "site"));
  await writeFile(join(home, "site/page.html"), "PAGE");
  await writeFile(join(home, "tell.cjs"), TELL);
  return join(home, "dist/cli.js");
}

/** Starts it for the first time, until its code is kept. */
async function keep(t: TestContext, command: string): Promise<void> {
  const server = await start(command);
  t.after(server.stop);
  await server.ask();
  await server.happened("rename", 2);
  await server.stop();
}

async function cacheOf(command: string): Promise<string> {
  const cache = join(dirname(command), ".cache");
  const [name, ...others] = await readdir(cache);
  assert.deepEqual(others, []);
  return join(cache, name!);
}

/** `start` of `/folder/start-Ab1.js`. */
function partOf(path = ""): string {
  return basename(path).replace(/-[\w-]{8}\..*/, "");
}

/** Starts it, until it listens. */
async function start(
  command: string,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  program = "node",
) {
  const home = dirname(dirname(command));
  const args = ["--require", join(home, "tell.cjs"), command, "0", "--directory", join(home, "site")];
  const child = spawn(program, [...args, "--log", "none", ...flags], {
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const events: Event[] = [];
  const others: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (line.startsWith("{")) events.push(JSON.parse(line));
    else others.push(line);
    for (const look of waiting) look();
  });
  const [banner] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    exited.then(() => assert.fail(others.join("\n"))),
  ]);
  const port = Number(/port (\d+)/.exec(banner)![1]);
  return {
    events: () => events,
    compiled: () => events.filter(({ step }) => step === "compiled"),
    /** Resolves once this step was done so often. */
    happened: (step: Event["step"], times: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (events.filter((event) => event.step === step).length < times) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    ask: async () => {
      const { status, text } = await exchange({ hostname: "127.0.0.1", port }, get("/page.html"));
      assert.deepEqual([status, text], [200, "PAGE"]);
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await exited;
    },
  };
}
