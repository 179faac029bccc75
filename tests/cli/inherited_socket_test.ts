/** Socket activation: a socket that systemd has opened, and leaves to the server. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { runCommand, startCommand } from "../_command.ts";
import { temporaryFolder, write } from "../cgi/_temporary.ts";
import { missingProgram } from "../programs/_command.ts";
import { runtime } from "../_runtime.ts";
import { runHere, startHere } from "./_in_process.ts";

const isNode = runtime.name === "node";

describe("a socket that was handed over", {
  skip: await missingProgram("perl", "-e", "use Socket; use POSIX"),
}, () => {
  const folder = temporaryFolder();
  writeFileSync(`${folder}/page.txt`, "a page");

  it("is served, in place of --bind and the port", { skip: isNode ? false : "Node alone can" }, async () => {
    write(
      `${folder}/cgi-bin/open`,
      "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'; ls /proc/self/fd | wc -l\n",
    );
    const plain = await startCommand(["--cgi", "0"], { cwd: folder });
    const descriptors = await text(plain.url, "cgi-bin/open");
    await plain.stop();
    const server = await startCommand(["--cgi"], { cwd: folder, socket: true });
    assert.equal(server.address.hostname, "127.0.0.1");
    assert.equal(await text(server.url, "page.txt"), "a page");
    // Scripts do not get it: they could serve in this server's place.
    assert.equal(await text(server.url, "cgi-bin/open"), descriptors);
    const { stderr, code } = await server.stop();
    assert.doesNotMatch(stderr, /is in use/);
    assert.equal(code, 0);
  });

  it("is refused where it cannot be served", { skip: isNode ? "Node can" : false }, async () => {
    const { code, stderr, stdout } = await runCommand(["--cgi"], { cwd: folder, socket: true });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^htbin: LISTEN_FDS: \w+ cannot serve a socket that was handed over: use Node, or systemd-/,
    );
  });
});

describe("the variables of sd_listen_fds(3)", () => {
  const { environment } = runtime.processes;
  const given = (variables: Readonly<Record<string, string>>) => ({
    processes: { ...runtime.processes, environment: (name: string) => variables[name] ?? environment(name) },
    network: { ...runtime.network, takesSockets: true },
  });
  const own = String(runtime.terminal.pid);

  it("for another process are nothing to this one", async () => {
    const server = await startHere(["0"], given({ LISTEN_PID: "1", LISTEN_FDS: "2" }));
    assert.equal((await server.stop()).code, 0);
  });

  it("for more than one socket are an error", async () => {
    const { code, stderr } = await runHere(["0"], given({ LISTEN_PID: own, LISTEN_FDS: "2" }));
    assert.equal(code, 1);
    assert.equal(stderr, "htbin: LISTEN_FDS: 2 sockets were handed over: name one in the unit\n");
  });

  it("do not go together with --workers", async () => {
    const { code, stderr } = await runHere(
      ["0", "--workers", "2"],
      given({ LISTEN_PID: own, LISTEN_FDS: "1" }),
    );
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^htbin: --workers: a socket that was handed over \(LISTEN_FDS\) is served by one worker\n$/,
    );
  });
});

async function text(url: string, path: string): Promise<string> {
  return await (await fetch(new URL(path, url))).text();
}
