/**
 * The least that Deno has to allow: each row of the README's table is enough for what it says, nothing more is ever asked
 * for, and what is missing is said in one line.
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type CommandOptions, type CommandResult, runCommand, startCommand } from "../_command.ts";
import { exchange, get, requestHead } from "../_http.ts";
import { isRoot, runtime, until } from "../_runtime.ts";
import { makeCertificate } from "../contract/_certificate.ts";
import { makeFolder, script } from "./_folder.ts";

const skip = runtime.name === "deno" ? false : "permissions are Deno's";

const folder = makeFolder({
  "site/index.html": "HOME",
  "site/cgi-bin/env": script("env"),
  "site/cgi-bin/id": script("id -u"),
  "site/cgi-bin/length": script("wc -c"),
  "empty/": "",
  "users": "ada:$2b$04$bV6j5bZ6BYDyjUSag7SVVu9i2XouprX319EqtjWLpvK2Ljaucfhg2\n",
  "site.json": '{ "header": "X-From: file" }',
});
after(folder.remove);
const SITE = join(folder.path, "site");
const file = (name: string) => join(folder.path, name);
const certificate = makeCertificate();
if (certificate !== null) writeFileSync(file("both.pem"), certificate.cert + certificate.key);
after(() => certificate?.remove());

/** The permissions of the README's row that begins so, with the names of here for its own. */
function permissionsFor(row: string, name = "FOLDER"): string[] {
  const readme = readFileSync("README.md", "utf8");
  const line = readme.split("\n").find((line) => line.startsWith(`| ${row}`));
  assert.ok(line !== undefined, `the README has no row ${row}`);
  const flags = Array.from(
    line.split("|")[2]!.matchAll(/--allow-[a-z]+(?:=[\w.,:*/-]+)?/g),
    ([flag]) => flag,
  );
  assert.ok(flags.length > 0, row);
  return flags.filter((flag) => !flag.includes("SCRIPT")).map((flag) =>
    flag.replace("127.0.0.1:8000", "127.0.0.1:0").replace(/\b(FOLDER|FILE|PROGRAM|NAME)\b/, name)
  );
}

const FILES = permissionsFor("files", SITE);
const SCRIPTS = [...FILES, ...permissionsFor("scripts  ")];

type Ask = (request: string) => ReturnType<typeof exchange>;

/** A server with these permissions and no others, for the time of a few questions. Resolves with its log. */
async function asking(
  permissions: readonly string[],
  args: readonly string[],
  questions: (ask: Ask, log: () => string) => Promise<void>,
  options: CommandOptions = {},
): Promise<string> {
  const server = await startCommand(["--directory", SITE, ...args, "0"], {
    cwd: file("empty"),
    permissions: ["--no-prompt", ...permissions],
    ...options,
  });
  try {
    await questions((request) => exchange(server.address, request), server.stderr);
  } finally {
    const { code } = await server.stop();
    assert.equal(code, 0);
  }
  assert.doesNotMatch(server.stderr(), /--allow-|NotCapable|^ +at /m);
  return server.stderr();
}

async function refused(
  permissions: readonly string[],
  args: readonly string[],
  message: RegExp,
): Promise<CommandResult> {
  const result = await runCommand(["--directory", SITE, ...args, "0"], {
    cwd: file("empty"),
    permissions: ["--no-prompt", ...permissions],
  });
  assert.equal(result.code, 1, result.stderr);
  assert.equal(result.stdout, "");
  assert.match(result.stderr, message);
  assert.match(result.stderr, /^htbin: [^\n]+\n$/, "one line");
  return result;
}

describe("on Deno", { skip }, () => {
  it("files: --allow-net and --allow-read=FOLDER, with every flag that is about files and answers", async () => {
    const flags =
      "--compress --precompressed --spa --clean-urls --dotfiles --follow-symlinks --cors --health " +
      "--log json --auth ada:1815 --drain 0.1 --tls-self-signed --cache max-age=1 -H X-A b";
    await asking(FILES, [], async (ask) => {
      assert.equal((await ask(get("/"))).text, "HOME");
      assert.equal((await ask(get("/cgi-bin/env"))).status, 404);
      assert.equal((await ask(get("/missing"))).status, 404);
    });
    await asking(FILES, flags.split(" "), async (_ask, log) => {
      await until(() => /SHA-256/.test(log()), "it has started");
    });
  });

  it("files: what is missing", async () => {
    await refused(
      [FILES[1]!],
      [],
      /Port 0 on 127\.0\.0\.1 may not be used by this process: Deno was not started with --allow-net=127\.0\.0\.1:0$/m,
    );
    await refused([FILES[1]!, "--allow-net=localhost"], ["--bind", "localhost"], /--allow-net=[^ ]+:0$/m);
    await refused([FILES[0]!], [], /Cannot look at .*: Deno was not started with --allow-read for it$/m);
    // Not none at all: then Deno's node:child_process would add -A.
    await refused(["--allow-env=HTBIN_NOTHING"], [], /Cannot look at .*--allow-read for it$/m);
  });

  it("scripts", async () => {
    await asking(SCRIPTS, ["--cgi"], async (ask) => {
      assert.match((await ask(get("/cgi-bin/env"))).text, /^PATH=\/usr\/local\/bin:\/usr\/bin:\/bin$/m);
      assert.match((await ask(get("/cgi-bin/id"))).text, isRoot ? /^65534$/m : /^\d+$/m);
      const body = "x".repeat(1000);
      const post = requestHead("POST", "/cgi-bin/length", "Content-Length: 1000") + body;
      assert.match((await ask(post)).text, /\b1000\b/);
    });
    const one = ["--allow-run=" + join(SITE, "cgi-bin/id"), "--allow-sys=uid,gid"];
    await asking([...FILES, ...one], ["--cgi"], async (ask) => {
      assert.equal((await ask(get("/cgi-bin/id"))).status, 200);
    });
  });

  it("scripts: what is missing", async () => {
    await refused(FILES, ["--cgi"], /whether this server is root.*--allow-sys=uid,gid$/m);
    const server = await startCommand(["--directory", SITE, "--cgi", "0"], {
      permissions: ["--no-prompt", ...FILES, "--allow-sys=uid,gid"],
    });
    assert.equal((await exchange(server.address, get("/cgi-bin/env"))).status, 403);
    await server.logged(
      /^htbin: (?:error|warning): .*env.*: .*Deno was not started with --allow-run for it$/m,
    );
    await server.stop();
  });

  it("what scripts inherit", async () => {
    const env = { TZ: "Europe/Berlin", HTBIN_TEST: "yes" };
    await asking([...SCRIPTS, ...permissionsFor("what scripts inherit")], ["--cgi"], async (ask) => {
      assert.match((await ask(get("/cgi-bin/env"))).text, /^TZ=Europe\/Berlin$/m);
    }, { env });
    const named = permissionsFor("`--cgi-env NAME`", "HTBIN_TEST");
    await asking([...SCRIPTS, ...named], ["--cgi-env", "HTBIN_TEST"], async (ask) => {
      assert.match((await ask(get("/cgi-bin/env"))).text, /^HTBIN_TEST=yes$/m);
    }, { env });
  });

  it("large request bodies without a length", async () => {
    const length = 100_000;
    const body = `${length.toString(16)}\r\n${"x".repeat(length)}\r\n0\r\n\r\n`;
    const post = requestHead("POST", "/cgi-bin/length", "Transfer-Encoding: chunked") + body;
    await asking([...SCRIPTS, ...permissionsFor("large request bodies")], ["--cgi"], async (ask) => {
      assert.match((await ask(post)).text, /\b100000\b/);
    });
    const server = await startCommand(["--directory", SITE, "--cgi", "0"], {
      permissions: ["--no-prompt", ...SCRIPTS],
    });
    assert.equal((await exchange(server.address, post)).status, 503);
    await server.logged(/Deno was not started with --allow-write for it/);
    await server.stop();
  });

  it("--cgi-user", { skip: isRoot ? false : "only root may become somebody else" }, async () => {
    const row = permissionsFor("`--cgi-user NAME`");
    await asking([...SCRIPTS, ...row], ["--cgi-user", "nobody"], async (ask) => {
      assert.match((await ask(get("/cgi-bin/id"))).text, /^65534$/m);
    });
    const one = [...FILES, "--allow-run=" + join(SITE, "cgi-bin/id"), "--allow-sys=uid,gid"];
    await refused(one, ["--cgi-user", "nobody"], /Cannot look up nobody: .*--allow-read=\/etc\/passwd$/m);
  });

  it("htbin.json, --config, and variables for settings", async () => {
    const config = ["--config", file("site.json")];
    const from = async (ask: Ask) => (await ask(get("/"))).header("x-from") ?? null;
    await asking([...FILES, ...permissionsFor("`htbin.json`", file("site.json"))], config, async (ask) => {
      assert.equal(await from(ask), "file");
    });
    await refused(FILES, config, /--config: .*site\.json.*: Deno was not started with --allow-read for it$/m);
    const env = { HTBIN_HEADER: "X-From: environment" };
    await asking([...FILES, ...permissionsFor("`HTBIN_*`")], [], async (ask) => {
      assert.equal(await from(ask), "environment");
    }, { env });
    await asking(FILES, [], async (ask) => assert.equal(await from(ask), null), { env });
  });

  it("certificate and passwords", { skip: certificate === null && "openssl is not installed" }, async () => {
    const auth = ["--auth-file", file("users")];
    await asking([...FILES, ...permissionsFor("`--tls-cert`", file("users"))], auth, async (ask) => {
      assert.equal((await ask(get("/"))).status, 401);
      assert.equal((await ask(get("/", `Authorization: Basic ${btoa("ada:1815")}`))).status, 200);
    });
    await refused(FILES, auth, /--auth-file: .*users.*: Deno was not started with --allow-read for it$/m);
    const tls = ["--tls-cert", file("both.pem")];
    await asking(
      [...FILES, ...permissionsFor("`--tls-cert`", file("both.pem"))],
      tls,
      () => Promise.resolve(),
    );
    await refused(FILES, tls, /--tls-cert: .*both\.pem.*: Deno was not started with --allow-read for it$/m);
  });

  it("--workers", async () => {
    const program = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
    const flags = ["--workers", "2", "--health", "--cgi"];
    // Port 0 is another one by the time that they listen on it.
    const permissions = [...SCRIPTS, "--allow-net=127.0.0.1", ...permissionsFor("`--workers`", program)];
    await asking(permissions, flags, async (ask) => {
      for (let time = 0; time < 8; time++) {
        assert.equal((await ask(get("/", "Connection: close"))).text, "HOME");
        assert.equal((await ask(get("/cgi-bin/id", "Connection: close"))).status, 200);
      }
    });
    await refused(SCRIPTS, flags, /Cannot start workers: Deno was not started with --allow-read=\/.*$/m);
  });

  it("--open", async () => {
    const programs = makeFolder({ "xdg-open": `#!/bin/sh\n: > "$0.opened"\n` });
    const env = { PATH: `${programs.path}:/usr/bin:/bin` };
    const opened = () => {
      try {
        return readFileSync(join(programs.path, "xdg-open.opened"), "utf8") === "";
      } catch {
        return false;
      }
    };
    await asking([...FILES, ...permissionsFor("`--open`")], ["--open"], async () => {
      await until(opened, "the browser is open");
    }, { env });
    programs.remove();
    const server = await startCommand(["--directory", SITE, "--open", "0"], {
      permissions: ["--no-prompt", ...FILES],
    });
    await server.logged(
      /^htbin: warning: --open: Deno was not started with --allow-run=xdg-open; open http/m,
    );
    await server.stop();
  });

  it("the rows that are left are tested elsewhere, or are -A", () => {
    const readme = readFileSync("README.md", "utf8");
    const [, table = ""] = /^\| For .*\n\| -.*\n((?:\|.*\n)+)/m.exec(readme) ?? [];
    const rows = Array.from(table.matchAll(/^\| (.*?) +\|/gm), ([, name]) => name);
    const tests = readFileSync("tests/cli/permissions_test.ts", "utf8");
    for (const row of rows) {
      const isHere = Array.from(tests.matchAll(/permissionsFor\("([^"]+)"/g)).some(([, name]) =>
        row!.startsWith(name!.trim())
      );
      // terminal_test.ts has the addresses, colours_test.ts what is heeded.
      const isElsewhere = /^(URLs for others|colours|scripts started by a)/.test(row!);
      assert.ok(isHere || isElsewhere, row);
    }
  });
});
