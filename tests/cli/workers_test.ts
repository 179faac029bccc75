/**
 * `--workers`: several processes or threads on one port, that look like one server.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { commandLine, runCommand, type RunningCommand, startCommand } from "../_command.ts";
import { connect as connectRaw, get } from "../_http.ts";
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

test("as a worker of another program it is a server like any other", {
  skip: runtime.name === "deno" && "Deno has no node:cluster",
}, async () => {
  const [program, args] = commandLine(["0", "--directory", folder.path]);
  const manager = join(folder.path, "manager.mjs");
  const settings = JSON.stringify({ exec: args[0], args: args.slice(1) });
  writeFileSync(
    manager,
    `import cluster from "node:cluster";\ncluster.setupPrimary(${settings});\nconst worker = cluster.fork();\n` +
      `process.on("SIGTERM", () => worker.process.kill("SIGTERM"));\n` +
      `worker.on("exit", (code) => process.exit(code));\n`,
  );
  const server = await startCommand([manager], { program });
  assert.equal(await ask(server.url), "200 HOME");
  assert.equal((await server.stop()).code, 0);
});

const PROBE = ".well-known/htbin/health";

/** What probes are told, each on a connection of its own: enough of them for every worker to be asked. */
async function probed(url: string): Promise<readonly string[]> {
  return [...new Set(await Promise.all(Array.from({ length: 12 }, () => ask(url + PROBE))))];
}

test("--health and --drain: all say the same, and go on answering until the time is up", async () => {
  const server = await startCommand([...SERVE, "--health", "--drain", "60"]);
  assert.deepEqual(await probed(server.url), ["200 ok\n"]);
  server.signal("SIGTERM");
  await server.logged(
    /^htbin: stopping in 60 s, as probes are told; a second signal \(Ctrl-C\) stops at once$/m,
  );
  await until(async () => {
    const seen = await probed(server.url);
    return seen.length === 1 && seen[0] === "503 stopping\n";
  }, "every worker says so");
  assert.equal(await ask(server.url), "200 HOME");
  assert.doesNotMatch(server.stderr(), /waiting for open responses/);
  server.signal("SIGTERM");
  assert.equal((await server.exited).code, 0);
});

test("--drain: a worker that is replaced meanwhile says the same", { skip: threads }, async () => {
  const server = await startCommand([...SERVE, "--health", "--drain", "60"]);
  server.signal("SIGTERM");
  await server.logged(/^htbin: stopping in 60 s/m);
  for (const pid of childrenOf(server.pid)) process.kill(pid, "SIGKILL");
  await until(async () => {
    const seen = await probed(server.url).catch(() => []);
    return seen.length === 1 && seen[0] === "503 stopping\n";
  }, "the new ones say so");
  server.signal("SIGTERM");
  assert.equal((await server.exited).code, 0);
});

test("--drain: when the time is up it ends by itself, and lets scripts finish", async () => {
  const server = await startCommand([...SERVE, "--drain", "0.2"]);
  const response = await fetch(`${server.url}cgi-bin/waits?drain`);
  await until(() => existsSync(join(folder.path, "pid.drain")), "the script runs");
  server.signal("SIGTERM");
  await until(() => refuses(server.address.port), "no connection is accepted");
  writeFileSync(join(folder.path, "go.drain"), "");
  assert.equal(await response.text(), "begun and done");
  assert.equal((await server.exited).code, 0);
});

/** bcrypt of 1815, with the least cost. */
const HASH = "$2b$04$bV6j5bZ6BYDyjUSag7SVVu9i2XouprX319EqtjWLpvK2Ljaucfhg2";

test("a worker that is replaced serves as the others do, whatever has become of the files", {
  skip: threads,
}, async () => {
  const site = makeFolder({
    "htbin.json": JSON.stringify({ "header": "X-A: first", "auth-file": "users", "workers": 2 }),
    "users": `ada:${HASH}\n`,
    "page.html": "PAGE",
  });
  const server = await startCommand(["0"], { cwd: site.path });
  const answers = async (path: string, user: string) => {
    const headers = { connection: "close", authorization: `Basic ${btoa(`${user}:1815`)}` };
    const all = await Promise.all(Array.from({ length: 12 }, async () => {
      const response = await fetch(server.url + path, { headers });
      await response.body?.cancel();
      return `${response.status} ${response.headers.get("x-a")}`;
    }));
    return [...new Set(all)];
  };
  try {
    assert.deepEqual(await answers("page.html", "ada"), ["200 first"]);
    for (const [settings, users] of [['{"header": "X-A: other"}', `bob:${HASH}\n`], ["{ broken", "broken"]]) {
      writeFileSync(join(site.path, "htbin.json"), settings!);
      writeFileSync(join(site.path, "users"), users!);
      const before = childrenOf(server.pid);
      for (const pid of before) process.kill(pid, "SIGKILL");
      await until(async () => {
        if (childrenOf(server.pid).length < 2) return false;
        return (await answers("page.html", "ada").catch(() => [])).length > 0;
      }, "there are two again");
      assert.ok(!childrenOf(server.pid).some((pid) => before.includes(pid)));
      assert.deepEqual(await answers("page.html", "ada"), ["200 first"]);
      assert.deepEqual(await answers("page.html", "bob"), ["401 first"]);
      assert.deepEqual(await answers("htbin.json", "ada"), ["404 first"]);
      assert.deepEqual(await answers("users", "ada"), ["404 first"]);
    }
    writeFileSync(join(site.path, "users"), `bob:${HASH}\n`);
    server.signal("SIGHUP");
    await server.logged(/^htbin: passwords read anew$/m);
    await until(async () => (await answers("page.html", "bob")).join() === "200 first", "all know bob");
    assert.deepEqual(await answers("page.html", "ada"), ["401 first"]);
    assert.doesNotMatch(server.stderr(), /htbin\.json: not JSON/);
  } finally {
    await server.stop();
    site.remove();
  }
});

test("SIGHUP with a file that cannot be used is told once, and changes nothing", async () => {
  const site = makeFolder({ "index.html": "HOME", "users": `ada:${HASH}\n` });
  const flags = ["--directory", site.path, "--auth-file", join(site.path, "users"), "--workers", "2"];
  const server = await startCommand(["0", ...flags]);
  try {
    writeFileSync(join(site.path, "users"), "ada:plain\n");
    server.signal("SIGHUP");
    await server.logged(/passwords not read anew/);
    const headers = { connection: "close", authorization: `Basic ${btoa("ada:1815")}` };
    const all = await Promise.all(Array.from({ length: 12 }, () => fetch(server.url, { headers })));
    assert.deepEqual([...new Set(all.map(({ status }) => status))], [200]);
    assert.equal(server.stderr().match(/passwords not read anew/g)?.length, 1);
  } finally {
    await server.stop();
    site.remove();
  }
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

test("a second signal ends workers at once, also with a download over TLS that nobody reads", async () => {
  const big = makeFolder({ "big.bin": "x".repeat(32 << 20) });
  const flags = ["--tls-self-signed", "--workers", "2", "--grace", "60"];
  const server = await startCommand(["0", "--directory", big.path, ...flags]);
  const connection = await connectRaw({ ...server.address, secure: true });
  await connection.send(get("/big.bin"));
  await connection.head();
  connection.pause();
  server.signal("SIGINT");
  await server.logged(/waiting for open responses and scripts/);
  const asked = performance.now();
  server.signal("SIGINT");
  assert.equal((await server.exited).code, 0);
  assert.ok(performance.now() - asked < 10_000);
  connection.close();
  big.remove();
});
