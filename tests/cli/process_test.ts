/**
 * The command line as a process of its own: its streams, its exit status, and signals.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { runCommand, startCommand } from "../_command.ts";
import { makeFolder } from "./_folder.ts";

// The scripts write down what they are, so they must be ours: `nobody` may not write here.
const OWN_USER = process.getuid?.() === 0 ? ["--cgi-user", "root"] : ["--cgi"];

const folder = makeFolder({
  "index.html": "HOME",
  // Says that it runs, then waits for permission to end.
  "cgi-bin/waits": `#!/bin/sh
cd ..
printf 'Content-Type: text/plain\\n\\nbegun'
echo $$ > pid.$QUERY_STRING
while [ ! -e go.$QUERY_STRING ]; do sleep 0.05; done
printf ' and done'
`,
  "cgi-bin/stubborn": `#!/bin/sh
trap '' TERM
cd ..
printf 'Content-Type: text/plain\\n\\nbegun'
echo $$ > pid.$QUERY_STRING
while true; do sleep 0.05; done
`,
});
after(folder.remove);

const SERVE = ["0", "--directory", folder.path, ...OWN_USER];

/** Asks for a script, and resolves once it runs. `body` is the whole answer, or null when it was broken off. */
async function callScript(url: string, path: string): Promise<{ pid: number; body: Promise<string | null> }> {
  const response = await fetch(url + path);
  const note = join(folder.path, `pid.${path.split("?")[1]}`);
  while (!existsSync(note) || readFileSync(note, "utf8") === "") {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { pid: Number(readFileSync(note, "utf8")), body: response.text().catch(() => null) };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function refuses(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} ends it with exit status 0, and nothing more on standard output than the first line`, async () => {
    const server = await startCommand(SERVE);
    assert.match(
      server.banner,
      /^Serving HTTP on 127\.0\.0\.1 port \d+ \(http:\/\/127\.0\.0\.1:\d+\/\) \.\.\.$/,
    );
    assert.equal(await (await fetch(server.url)).text(), "HOME");
    await server.logged(/"GET \/ HTTP\/1\.1" 200 4\n/);
    server.signal(signal);
    const { code, signal: killer, stdout } = await server.exited;
    assert.deepEqual([code, killer], [0, null]);
    assert.equal(stdout, `${server.banner}\n`);
  });
}

test("a signal lets a running script finish, while nobody new comes in", async () => {
  const server = await startCommand(SERVE);
  const call = await callScript(server.url, "cgi-bin/waits?finish");
  server.signal("SIGTERM");
  // Said after half a second: by then the socket is closed.
  await server.logged(
    /^htbin: waiting for open responses and scripts, at most 10 s; a second signal \(Ctrl-C\) breaks them off\n/m,
  );
  assert.equal(await refuses(server.address.port), true);
  assert.equal(isRunning(call.pid), true);
  writeFileSync(join(folder.path, "go.finish"), "");
  assert.equal(await call.body, "begun and done");
  assert.equal((await server.exited).code, 0);
});

test("after the grace a script is ended, and its answer does not look complete", async () => {
  const server = await startCommand([...SERVE, "--grace", "0.2"]);
  const call = await callScript(server.url, "cgi-bin/waits?grace");
  server.signal("SIGTERM");
  assert.equal(await call.body, null);
  assert.equal((await server.exited).code, 0);
  assert.equal(isRunning(call.pid), false);
});

test("a second signal breaks off what runs", async () => {
  const server = await startCommand(SERVE);
  const call = await callScript(server.url, "cgi-bin/waits?second");
  const start = performance.now();
  server.signal("SIGINT");
  await server.logged(/^htbin: waiting/m);
  server.signal("SIGINT");
  assert.equal((await server.exited).code, 0);
  assert.ok(performance.now() - start < 8000);
  assert.equal(await call.body, null);
  assert.equal(isRunning(call.pid), false);
});

test("no script outlives the server, also one that ignores the request to end", async () => {
  const server = await startCommand([...SERVE, "--grace", "0"]);
  const call = await callScript(server.url, "cgi-bin/stubborn?stubborn");
  server.signal("SIGTERM");
  assert.equal((await server.exited).code, 0);
  assert.equal(await call.body, null);
  assert.equal(isRunning(call.pid), false);
});

test("wrong usage: exit status 2, one line on standard error, nothing on standard output", async () => {
  const { code, stdout, stderr } = await runCommand(["--nonsense"]);
  assert.deepEqual([code, stdout, stderr], [
    2,
    "",
    "htbin: unknown option '--nonsense': htbin --help lists them all\n",
  ]);
});

test("it serves the working directory when no other is named", async () => {
  const server = await startCommand(["0"], { cwd: folder.path });
  try {
    assert.equal(await (await fetch(server.url)).text(), "HOME");
  } finally {
    await server.stop();
  }
});

test("it goes on when nobody reads its log", async () => {
  const { commandLine } = await import("../_command.ts");
  const { spawn } = await import("node:child_process");
  const [program, args] = commandLine(["0", "--directory", folder.path]);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  try {
    const [line] = await once(child.stdout.setEncoding("utf8"), "data");
    const [, url] = /\((.*)\)/.exec(line) ?? [];
    // As `htbin | head -1` does.
    child.stdout.destroy();
    child.stderr.destroy();
    for (let time = 0; time < 3; time++) assert.equal(await (await fetch(url as string)).text(), "HOME");
    assert.equal(child.exitCode, null);
  } finally {
    // Not child.kill(): Deno then reports the signal, whatever the status.
    process.kill(child.pid as number, "SIGTERM");
    const [code] = await once(child, "exit");
    assert.equal(code, 0);
  }
});
