/**
 * SIGHUP: files are read anew, and a closed terminal is a signal to stop. SIGPIPE: nothing.
 */

import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { startCommand } from "../_command.ts";
import { exchange, get } from "../_http.ts";
import { childrenOf, needsProc, until } from "../_runtime.ts";
import { missingProgram } from "../programs/_command.ts";
import { makeFolder } from "./_folder.ts";
import { startHere } from "./_in_process.ts";

// The scripts write down what they are, so they must be ours: `nobody` may not write here.
const OWN_USER = process.getuid?.() === 0 ? ["--cgi-user", "root"] : ["--cgi"];

const folder = makeFolder({
  "index.html": "HOME",
  "cgi-bin/waits": `#!/bin/sh
cd ..
printf 'Content-Type: text/plain\\n\\nbegun'
: > begun.$QUERY_STRING
while [ ! -e go.$QUERY_STRING ]; do sleep 0.05; done
printf ' and done'
`,
});
after(folder.remove);
const HERE = ["0", "--directory", folder.path];

/** bcrypt of 1815, with the least cost. */
const HASH = "$2b$04$bV6j5bZ6BYDyjUSag7SVVu9i2XouprX319EqtjWLpvK2Ljaucfhg2";

test("SIGHUP reads the passwords anew; a file that cannot be used changes nothing", async () => {
  const users = join(folder.path, "users");
  writeFileSync(users, `ada:${HASH}\n`);
  const server = await startHere([...HERE, "--auth-file", users, "--auth", "eve:1"]);
  const status = async (credentials: string) => {
    const field = `Authorization: Basic ${btoa(credentials)}`;
    return (await exchange({ hostname: "127.0.0.1", port: server.port }, get("/", field))).status;
  };
  assert.deepEqual([await status("ada:1815"), await status("bob:1815")], [200, 401]);
  writeFileSync(users, "ada:plain\n");
  server.hangUp(false);
  await until(() => /^htbin: error: passwords not read anew/m.test(server.stderr()), "the failure is told");
  assert.doesNotMatch(server.stderr(), /plain/);
  assert.deepEqual([await status("ada:1815"), await status("bob:1815")], [200, 401]);
  writeFileSync(users, `bob:${HASH}\n`);
  server.hangUp(false);
  await until(() => /^htbin: passwords read anew$/m.test(server.stderr()), "it is told");
  assert.deepEqual([await status("ada:1815"), await status("bob:1815"), await status("eve:1")], [
    401,
    200,
    200,
  ]);
  server.hangUp(false);
  const times = () => server.stderr().match(/^htbin: passwords read anew$/gm)?.length;
  await until(() => times() === 2, "it is told each time");
  await server.stop();
});

test("SIGHUP with nothing to read anew, and SIGPIPE, leave the server as it is", async () => {
  const server = await startCommand(HERE);
  try {
    server.signal("SIGPIPE");
    server.signal("SIGHUP");
    await server.logged(/^htbin: SIGHUP: there is no file of passwords and no certificate to read anew$/m);
    server.signal("SIGPIPE");
    assert.equal((await exchange(server.address, get("/"))).text, "HOME");
  } finally {
    await server.stop();
  }
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

for (const workers of [[], ["--workers", "2"]]) {
  test(
    `a terminal that is closed lets a running response finish, and then ends the server ${workers.join(" ")}`,
    {
      skip: needsProc || await missingProgram("script", "--version"),
    },
    async () => {
      const name = `terminal${workers.length}`;
      const server = await startCommand([...HERE, ...OWN_USER, ...workers], { terminal: true });
      const [pid] = childrenOf(server.pid);
      assert.ok(pid !== undefined);
      const response = await fetch(`${server.url}cgi-bin/waits?${name}`);
      await until(() => existsSync(join(folder.path, `begun.${name}`)), "the script runs");
      // Its terminal goes with it.
      server.signal("SIGKILL");
      await server.exited;
      await until(async () => {
        try {
          // One that comes in at that very moment may be accepted and answered by nobody (node:cluster).
          await fetch(server.url, { signal: AbortSignal.timeout(1000) });
          return false;
        } catch {
          return true;
        }
      }, "nobody new comes in");
      assert.ok(isRunning(pid));
      writeFileSync(join(folder.path, `go.${name}`), "");
      assert.equal(await response.text(), "begun and done");
      await until(() => !isRunning(pid), "it has ended");
    },
  );
}

test("a closed terminal is no second signal", async () => {
  const server = await startHere([...HERE, "--drain", "60"]);
  server.hangUp(true);
  server.hangUp(true);
  assert.match(server.stderr(), /^htbin: stopping in 60 s/m);
  assert.equal((await exchange({ hostname: "127.0.0.1", port: server.port }, get("/"))).text, "HOME");
  await server.stop();
});
