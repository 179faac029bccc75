/**
 * `--workers`: several processes or threads on one port, that look like one server.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { runCommand, type RunningCommand, startCommand } from "../_command.ts";
import { childrenOf, needsProc, runtime, until } from "../_runtime.ts";
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
});
after(folder.remove);

const SERVE = ["0", "--directory", folder.path, "--workers", "2", ...OWN_USER];
const threads = runtime.name === "deno" ? "a thread cannot be killed from outside" : needsProc;

/** One request on a connection of its own, so that any of the workers may get it. */
async function ask(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: "close" } });
  return `${response.status} ${await response.text()}`;
}

async function stop(server: RunningCommand): Promise<void> {
  const { code, stdout } = await server.stop();
  assert.equal(code, 0);
  assert.equal(stdout, `${server.banner}\n`, "one first line, whatever their number");
}

test("answers on one port, and ends as one", async () => {
  const server = await startCommand(SERVE);
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(server.url)));
  assert.deepEqual(new Set(answers), new Set(["200 HOME"]));
  await server.logged(/(.*"GET \/ HTTP\/1\.1" 200 4\n){20}/);
  await stop(server);
});

test("a worker that is killed is replaced", { skip: threads }, async () => {
  const server = await startCommand(SERVE);
  const workers = childrenOf(server.pid);
  assert.equal(workers.length, 2);
  process.kill(workers[0]!, "SIGKILL");
  await server.logged(new RegExp(`worker ${workers[0]} ended \\(SIGKILL\\): another starts in 0\\.1 s`));
  assert.equal(await ask(server.url), "200 HOME");
  await until(() => childrenOf(server.pid).length === 2, "there are two again");
  assert.equal(childrenOf(server.pid).includes(workers[0]!), false);
  assert.equal(await ask(server.url), "200 HOME");
  await stop(server);
});

test("the limits on scripts hold for all workers together", async () => {
  const server = await startCommand([...SERVE, "--cgi-max", "1", "--cgi-queue", "0"]);
  const first = fetch(`${server.url}cgi-bin/waits?limit`);
  await until(() => existsSync(join(folder.path, "pid.limit")), "the script runs");
  // Enough of them for every worker to be asked.
  const others = await Promise.all(
    Array.from(
      { length: 12 },
      () => fetch(`${server.url}cgi-bin/waits?limit`, { headers: { connection: "close" } }),
    ),
  );
  for (const { status, headers } of others) {
    assert.equal(status, 503);
    assert.match(headers.get("retry-after") ?? "", /^\d+$/);
  }
  writeFileSync(join(folder.path, "go.limit"), "");
  assert.equal(await (await first).text(), "begun and done");
  // The place is free again, in whichever worker.
  assert.equal(await ask(`${server.url}cgi-bin/waits?limit`), "200 begun and done");
  await stop(server);
});

test("a signal lets running scripts end, and no new ones start", async () => {
  const server = await startCommand(SERVE);
  const response = await fetch(`${server.url}cgi-bin/waits?end`);
  await until(() => existsSync(join(folder.path, "pid.end")), "the script runs");
  server.signal("SIGTERM");
  await until(() => refuses(server.address.port), "no connection is accepted");
  writeFileSync(join(folder.path, "go.end"), "");
  assert.equal(await response.text(), "begun and done");
  assert.equal((await server.exited).code, 0);
});

test("the second signal does not wait", async () => {
  const server = await startCommand([...SERVE, "--grace", "600"]);
  const response = await fetch(`${server.url}cgi-bin/waits?never`);
  await until(() => existsSync(join(folder.path, "pid.never")), "the script runs");
  server.signal("SIGINT");
  await server.logged(/waiting for open responses and scripts/);
  assert.equal(server.stderr().match(/waiting for/g)?.length, 1, "said once");
  server.signal("SIGINT");
  await assert.rejects(response.text());
  assert.equal((await server.exited).code, 0);
  const script = Number(readFileSync(join(folder.path, "pid.never"), "utf8"));
  assert.throws(() => process.kill(script, 0), "the script has ended too");
});

test("a port that is in use is an error, also when other workers use it", async () => {
  const server = await startCommand(SERVE);
  const { port } = server.address;
  const { code, stdout, stderr } = await runCommand([String(port), ...SERVE.slice(1)]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, new RegExp(`^htbin: Port ${port} on 127\\.0\\.0\\.1 is already in use[^\\n]*\\n$`));
  assert.equal(await ask(server.url), "200 HOME");
  await stop(server);
});

function refuses(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", () => resolve(true));
  });
}
