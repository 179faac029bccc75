/**
 * Section 5.12, second half: the command line, as a process of its own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { runCommand, startCommand } from "../../_command.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { connect, get } from "../../_http.ts";
import { expectStatus, expectWhole } from "../_ask.ts";
import { descriptorsReturn } from "../_descriptors.ts";
import { fetchPath, reachable, startSite, stop, withSite } from "../_site_command.ts";
import { siteFixture } from "../_site_fixture.ts";
import { gracefulStop, servesWith } from "./_life.ts";
import { certificate, https, openssl } from "./_tls.ts";

/** Cases about permissions, on the runtimes that have none. */
const NO_PERMISSIONS = {
  runtimes: ["bun", "node"],
  reason: "This runtime has no permissions to do without.",
  run: async () => {
    const command = await startSite();
    await stop(command);
  },
} as const;

/** The command line. */
export const commandLineCases: ConformanceSection = {
  title: "Logs and the command line",
  cases: [
    test(
      167,
      "T",
      "the log line of GET /",
      'on stderr: 127.0.0.1 - - [dd/Mon/yyyy hh:mm:ss] "GET / HTTP/1.1" 200 and the size',
      () =>
        withSite(async (command) => {
          expectStatus(await fetchPath(command.address, "/"), 200);
          await command.logged(
            /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4} \d\d:\d\d:\d\d\] "GET \/ HTTP\/1\.1" 200 (-|\d+)$/m,
          );
          assert.doesNotMatch(command.stdout(), /GET/);
        }),
    ),
    test(
      168,
      "T",
      "a path with ESC and NUL",
      "no control byte in the log, escaped or as they were sent",
      noControlBytes,
    ),
    test(
      169,
      "T",
      "NO_COLOR=1; output to a pipe",
      "no ESC byte on stdout and stderr; with FORCE_COLOR=1 alone colours in the log",
      async () => {
        for (const env of [{}, { NO_COLOR: "1" }, { NO_COLOR: "1", FORCE_COLOR: "1" }]) {
          await withSite(async (command) => {
            await fetchPath(command.address, "/nope");
            await command.logged(/" 404 /);
            assert.ok(!command.stdout().includes("\x1b"));
            assert.ok(!command.stderr().includes("\x1b"));
          }, { env });
        }
        await withSite(async (command) => {
          await fetchPath(command.address, "/nope");
          await command.logged(/" \x1b\[35m404\x1b\[0m /);
          assert.ok(!command.stdout().includes("\x1b"));
        }, { env: { FORCE_COLOR: "1" } });
      },
    ),
    test(
      170,
      "T",
      "--help",
      "exit 0, usage on stdout, stderr empty",
      async () => {
        const help = await runCommand(["--help"]);
        assert.deepEqual([help.code, help.stderr], [0, ""]);
        assert.match(help.stdout, /^usage: htbin/i);
        for (const flag of ["--bind", "--directory", "--cgi", "--version"]) {
          assert.ok(help.stdout.includes(flag), flag);
        }
      },
    ),
    test(
      171,
      "T",
      "an unknown flag",
      "exit 2, stdout empty, one line on stderr that names it, no stack trace",
      async () => {
        const result = await runCommand(["--no-such-flag"]);
        assert.deepEqual([result.code, result.stdout], [2, ""]);
        assert.match(result.stderr, /^htbin: .*--no-such-flag.*\n$/);
      },
    ),
    test(
      172,
      "T",
      "port 0, stdout piped",
      "the first line is Serving HTTP on H port P (URL) ... with the real port, at once",
      () =>
        withSite(async (command) => {
          const { port } = command.address;
          assert.equal(
            command.banner,
            `Serving HTTP on 127.0.0.1 port ${port} (http://127.0.0.1:${port}/) ...`,
          );
          assert.notEqual(port, 0);
          expectWhole(await fetchPath(command.address, "/hello.txt"));
        }),
    ),
    test(
      173,
      "T",
      "--bind ::1",
      "http://[::1]:P/, reachable on ::1, not on 127.0.0.1",
      async () => {
        const command = await startSite({}, "--bind", "::1");
        try {
          assert.match(command.banner, /^Serving HTTP on ::1 port \d+ /);
          assert.match(command.url, /^http:\/\/\[::1\]:\d+\/$/);
          expectWhole(await fetchPath(command.address, "/hello.txt"));
          const { port } = command.address;
          assert.ok(!await reachable({ hostname: "127.0.0.1", port }));
        } finally {
          await stop(command);
        }
      },
      { unless: ipv6() },
    ),
    test(
      174,
      "C",
      "no --bind",
      "127.0.0.1, as documented: not ::1, not another address",
      () =>
        withSite(async ({ address }) => {
          assert.equal(address.hostname, "127.0.0.1");
          const { port } = address;
          assert.ok(!await reachable({ hostname: "::1", port }));
          assert.ok(!await reachable({ hostname: "127.0.0.2", port }));
        }),
    ),
    test(
      175,
      "T",
      "an explicit port that is busy",
      "exit 1, a message with the port, no other port taken",
      () =>
        withSite(async ({ address }) => {
          const second = await runCommand([`${address.port}`]);
          assert.deepEqual([second.code, second.stdout], [1, ""]);
          assert.match(second.stderr, new RegExp(`^htbin: .*${address.port}`));
          assert.equal(second.stderr.trimEnd().split("\n").length, 1);
        }),
    ),
    test(
      176,
      "T",
      "the default port is busy",
      "another port, and a notice that names both",
      defaultPortBusy,
    ),
    test(
      177,
      "T",
      "the directory is missing",
      "exit 1, one line",
      async () => {
        const result = await runCommand(["0", "--directory", "/no/such/folder"]);
        assert.deepEqual([result.code, result.stdout], [1, ""]);
        assert.match(result.stderr, /^htbin: .*\/no\/such\/folder.*\n$/);
      },
    ),
    test(
      178,
      "T",
      "--tls-key without --tls-cert; an unreadable password file",
      "exit 2; exit 1; one line",
      async () => {
        const lone = await runCommand(["0", "--tls-key", "key.pem"]);
        assert.deepEqual([lone.code, lone.stdout], [2, ""]);
        assert.match(lone.stderr, /^htbin: .*--tls-cert.*\n$/);
        const { cert, key } = certificate();
        const files = ["--tls-cert", cert, "--tls-key", key];
        const password = ["--tls-password-file", "/no/such/file"];
        const unreadable = await runCommand(["0", ...files, ...password]);
        assert.deepEqual([unreadable.code, unreadable.stdout], [1, ""]);
        assert.match(unreadable.stderr, /^htbin: .*\/no\/such\/file.*\n$/);
      },
      { unless: openssl() },
    ),
    test(
      179,
      "T",
      "certificate and key; an encrypted key and its password file",
      "HTTPS answers, the banner says HTTPS and https://",
      https,
      { unless: openssl() },
    ),
    test(
      180,
      "C",
      "SIGINT while a slow download runs; a second SIGINT",
      "new connections are refused, the download completes, exit 0; the second ends it at once",
      gracefulStop,
    ),
    test(
      181,
      "T",
      "Deno without --allow-sys and --allow-env, in a terminal",
      "starts without asking for a permission, serves",
      () => servesWith(["--allow-read", "--allow-net"]),
      { impossible: [NO_PERMISSIONS] },
    ),
    test(
      182,
      "T",
      "Deno with --allow-read=site alone (and the network), in a terminal",
      "serves, never asks for more",
      () =>
        servesWith([
          `--allow-read=${siteFixture().site}`,
          "--allow-net=127.0.0.1",
        ]),
      { impossible: [NO_PERMISSIONS] },
    ),
    test(
      183,
      "T",
      "1,000 times 304, HEAD, 206, an aborted download",
      "as many open descriptors as before",
      () => descriptorsReturn(1_000),
    ),
  ],
};

async function noControlBytes(): Promise<void> {
  await withSite(async (command) => {
    const requests = [
      get("/a%1b[31mb%00c", "Connection: close"),
      get("/a%0d%0ab", "Connection: close"),
      get("/a\x1b[31mb", "Connection: close"),
      get("/\x7f", "Connection: close"),
      get("/agent", "User-Agent: \x1b[2J\x07", "Connection: close"),
    ];
    for (const request of requests) {
      const connection = await connect(command.address);
      await connection.send(request);
      // What the runtime itself refuses may end without a response.
      await connection.ended();
      connection.close();
    }
    await fetchPath(command.address, "/last");
    const log = await command.logged(/[^]*"GET \/last HTTP\/1\.1"/);
    assert.doesNotMatch(log, /[^\x20-\x7e\n]/);
    assert.match(log, /\/a(%1b|\\x1b)\[31mb/i);
    assert.match(log, /\/a(%0d%0a|\\x0d\\x0a|\\r\\n)b/i);
  });
}

async function defaultPortBusy(): Promise<void> {
  // Whoever has it, it is busy now.
  const args = ["--directory", siteFixture().site];
  const first = await startCommand(args);
  try {
    const second = await startCommand(args);
    try {
      const { port } = second.address;
      assert.notEqual(port, 8000);
      assert.notEqual(port, first.address.port);
      const notice = await second.logged(/^htbin: .*8000.*$/m);
      assert.ok(notice.includes(`${port}`), notice);
      expectWhole(await fetchPath(second.address, "/hello.txt"));
    } finally {
      await stop(second);
    }
  } finally {
    await stop(first);
  }
}

function ipv6(): string | undefined {
  try {
    execFileSync("/bin/sh", ["-c", "grep -q ' lo$' /proc/net/if_inet6"], {
      stdio: "ignore",
    });
    return undefined;
  } catch {
    return "This machine has no IPv6.";
  }
}
