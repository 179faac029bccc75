/**
 * `htbin.json` and the environment, as a process finds them.
 */

import assert from "node:assert/strict";
import { chmodSync, chownSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type CommandOptions, runCommand, type RunningCommand, startCommand } from "../_command.ts";
import { exchange, get } from "../_http.ts";
import { isRoot, needsRoot, runtime } from "../_runtime.ts";
import { type Contents, type Folder, makeFolder, script } from "./_folder.ts";

const folders: Folder[] = [];
after(() => folders.forEach((folder) => folder.remove()));

function folderOf(contents: Contents): string {
  const folder = makeFolder(contents);
  folders.push(folder);
  return folder.path;
}

const HASH = "$2b$04$bV6j5bZ6BYDyjUSag7SVVu9i2XouprX319EqtjWLpvK2Ljaucfhg2";

async function serving(
  args: readonly string[],
  options: CommandOptions,
  use: (server: RunningCommand) => Promise<void>,
): Promise<string> {
  const server = await startCommand(args, options);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
  return server.stderr();
}

async function ask(server: RunningCommand, path: string, ...headers: string[]): Promise<[number, string]> {
  const { status, text } = await exchange(server.address, get(path, ...headers));
  return [status, text];
}

test("htbin.json in the working directory is used, said, and neither served nor listed", async () => {
  const cwd = folderOf({
    "htbin.json": JSON.stringify({ port: 0, auth: "ada:1815", header: ["X-A: b"], cgi: true }),
    "sub/htbin.json": "SECRET",
    "file.txt": "FILE",
    "link.json": "-> htbin.json",
    "cgi-bin/env": script("env"),
  });
  const log = await serving([], { cwd }, async (server) => {
    assert.notEqual(server.address.port, 8000);
    const ada = `Authorization: Basic ${btoa("ada:1815")}`;
    assert.equal((await ask(server, "/file.txt"))[0], 401);
    const response = await exchange(server.address, get("/file.txt", ada));
    assert.deepEqual([response.status, response.header("x-a")], [200, "b"]);
    for (
      const path of [
        "/htbin.json",
        "/HTBIN.JSON",
        "/htbin%2Ejson",
        "/sub/../htbin.json",
        "/sub/htbin.json",
        "/link.json",
      ]
    ) {
      assert.equal((await ask(server, path, ada))[0], 404, path);
    }
    const [, listing] = await ask(server, "/", ada);
    assert.match(listing, /file\.txt/);
    assert.doesNotMatch(listing, /href="(htbin|link)/);
    const [, variables] = await ask(server, "/cgi-bin/env", ada);
    assert.doesNotMatch(variables, /1815|HTBIN_/);
  });
  assert.match(log, /^htbin: settings from htbin\.json$/m);
  assert.doesNotMatch(log, /1815/);
});

test("the environment comes before it, a flag before both; --no-config reads none", async () => {
  const cwd = folderOf({
    "htbin.json": JSON.stringify({
      "port": 0,
      "header": "X-From: file",
      "cgi-env": "SECRET=x",
      "index": "file.txt",
    }),
    "file.txt": "FILE",
    "cgi-bin/env": script("env"),
  });
  const from = async (server: RunningCommand) =>
    (await exchange(server.address, get("/file.txt"))).header("x-from") ?? null;
  const env = { HTBIN_HEADER: "X-From: environment" };
  await serving([], { cwd }, async (server) => assert.equal(await from(server), "file"));
  await serving([], { cwd, env }, async (server) => {
    assert.equal(await from(server), "environment");
    assert.equal((await ask(server, "/"))[1], "FILE");
  });
  await serving(
    ["-H", "X-From", "flag"],
    { cwd, env },
    async (server) => assert.equal(await from(server), "flag"),
  );
  const log = await serving(["0", "--no-config"], { cwd }, async (server) => {
    assert.equal(await from(server), null);
    assert.equal((await ask(server, "/cgi-bin/env"))[0], 404);
  });
  assert.doesNotMatch(log, /settings from/);
});

test("--config and HTBIN_CONFIG name another file, whose paths start at its folder", async () => {
  const conf = folderOf({
    "site.json": JSON.stringify({ "$schema": "x", "port": 0, "directory": "public" }),
    "public/index.html": "PUBLIC",
    "public/site.json": "a page's own",
  });
  const path = join(conf, "site.json");
  for (const [args, env] of [[["--config", path], {}], [[], { HTBIN_CONFIG: path }]] as const) {
    await serving(args, { env }, async (server) => {
      assert.equal((await ask(server, "/"))[1], "PUBLIC");
      assert.equal((await ask(server, "/site.json"))[0], 200);
    });
  }
});

test("what settings name is not served either, where it lies in the served folder", async () => {
  const cwd = folderOf({
    "conf/site.json": JSON.stringify({ "port": 0, "directory": "..", "auth-file": "../users" }),
    "users": `ada:${HASH}\n`,
    "index.html": "HOME",
  });
  await serving(["--config", "conf/site.json"], { cwd }, async (server) => {
    const ada = `Authorization: Basic ${btoa("ada:1815")}`;
    assert.equal((await ask(server, "/", ada))[1], "HOME");
    for (const path of ["/users", "/conf/site.json"]) {
      assert.equal((await ask(server, path, ada))[0], 404, path);
    }
  });
});

const UNUSABLE: readonly (readonly [what: string, text: string, code: number, message: RegExp])[] = [
  ["no JSON", '{\n "auth": "ada:geheim"\n oops', 2, /^htbin: htbin\.json: not JSON( \(line 3\))?\n$/],
  ["no object", "[]", 2, /^htbin: htbin\.json: it must be an object: .*\n$/],
  ["an unknown key", '{"prot": 1}', 2, /^htbin: htbin\.json: unknown setting 'prot': did you mean port\?\n$/],
  ["a wrong value", '{"grace": -1}', 2, /^htbin: htbin\.json: grace takes seconds, .*\n$/],
  ["a contradiction", '{"tls-key": "k"}', 2, /^htbin: htbin\.json: tls-key needs --tls-cert.*\n$/],
  [
    "a folder that is not there",
    '{"directory": "no"}',
    1,
    /^htbin: htbin\.json: directory: there is no folder no\n$/,
  ],
];

for (const [what, text, code, message] of UNUSABLE) {
  test(`htbin.json with ${what}: exit status ${code} and one line`, async () => {
    const result = await runCommand([], { cwd: folderOf({ "htbin.json": text }) });
    assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
    assert.match(result.stderr, message);
    assert.doesNotMatch(result.stderr, /geheim/);
  });
}

test("--config with a file that is not there: exit status 1 and one line", async () => {
  const { code, stdout, stderr } = await runCommand(["--config", "/no/such.json"]);
  assert.deepEqual([code, stdout, stderr], [1, "", "htbin: --config: there is no file /no/such.json\n"]);
});

test("what is wrong is named where it comes from: a variable, the file and its key", async () => {
  const cwd = folderOf({});
  for (
    const [env, message] of [
      [{ HTBIN_CONFIG: "/no/such.json" }, "HTBIN_CONFIG: there is no file /no/such.json"],
      [{ HTBIN_DIRECTORY: "/no/such" }, "HTBIN_DIRECTORY: there is no folder /no/such"],
      [{ HTBIN_AUTH_FILE: "/no/such" }, "HTBIN_AUTH_FILE: there is no file /no/such"],
      [
        { HTBIN_CGI_USER: "no-such-user" },
        "HTBIN_CGI_USER: Cannot run scripts as no-such-user: there is no such user",
      ],
      [
        { HTBIN_BIND: "192.0.2.1" },
        "HTBIN_BIND: Cannot listen on 192.0.2.1: it is not an address of this machine",
      ],
    ] as const
  ) {
    const { code, stdout, stderr } = await runCommand([], { cwd, env: { HTBIN_PORT: "0", ...env } });
    assert.deepEqual([code, stdout, stderr], [1, "", `htbin: ${message}\n`]);
  }
  const settings = JSON.stringify({ "cgi-user": "no-such-user", "port": 0 });
  const { code, stderr } = await runCommand([], { cwd: folderOf({ "htbin.json": settings }) });
  assert.equal(code, 1);
  assert.match(stderr, /^htbin: htbin\.json: cgi-user: Cannot run scripts as no-such-user: [^\n]*\n$/);
});

test("a file that everybody can write is not used unless it is named", async () => {
  const cwd = folderOf({ "htbin.json": '{"port": 0}' });
  chmodSync(join(cwd, "htbin.json"), 0o666);
  const { code, stderr } = await runCommand([], { cwd });
  assert.equal(code, 1);
  assert.match(stderr, /^htbin: htbin\.json can be written by everybody: --config htbin\.json .*\n$/);
  await serving(
    ["--config", "htbin.json"],
    { cwd },
    async (server) => assert.equal((await ask(server, "/"))[0], 200),
  );
  await serving(
    ["0", "--no-config"],
    { cwd },
    async (server) => assert.equal((await ask(server, "/"))[0], 200),
  );
});

test("a file of another user is not used unless it is named", { skip: needsRoot }, async () => {
  const cwd = folderOf({ "htbin.json": '{"port": 0}' });
  if (isRoot) chownSync(join(cwd, "htbin.json"), 12345, 12345);
  const { code, stderr } = await runCommand([], { cwd });
  assert.equal(code, 1);
  assert.match(stderr, /^htbin: htbin\.json belongs to another user: .*\n$/);
});

test("--explain goes by the same settings", async () => {
  const cwd = folderOf({ "htbin.json": '{"cgi-dir": "scripts"}', "scripts/hello": script("echo") });
  const { code, stdout } = await runCommand(["--explain", "/scripts/hello"], { cwd });
  assert.equal(code, 0);
  assert.match(stdout, /^script +.*\/scripts\/hello$/m);
});

test("a file .env is read by Bun alone", async () => {
  const cwd = folderOf({ ".env": "HTBIN_HEADER=X-From: .env\n" });
  await serving(["0"], { cwd }, async (server) => {
    const response = await exchange(server.address, get("/"));
    assert.equal(response.header("x-from") ?? null, runtime.name === "bun" ? ".env" : null);
  });
});

test("on Deno the environment is read as far as it is allowed, without asking", {
  skip: runtime.name !== "deno" && "permissions are Deno's",
}, async () => {
  const cwd = folderOf({ "file.txt": "FILE" });
  const env = { HTBIN_HEADER: "X-From: environment" };
  for (const [allowed, seen] of [[[], null], [["--allow-env=HTBIN_*"], "environment"]] as const) {
    const permissions = ["--allow-net", `--allow-read=${cwd}`, ...allowed];
    await serving(["0"], { cwd, env, permissions, terminal: true }, async (server) => {
      const response = await exchange(server.address, get("/file.txt"));
      assert.equal(response.header("x-from") ?? null, seen);
      assert.doesNotMatch(server.stdout(), /requests|Allow\?/);
    });
  }
});
