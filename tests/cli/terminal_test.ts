/**
 * What a person at a terminal is told, and what is opened for them.
 */

import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { type CommandOptions, startCommand } from "../_command.ts";
import { childrenOf, runtime, until } from "../_runtime.ts";
import { missingProgram } from "../programs/_command.ts";
import { makeFolder, script } from "./_folder.ts";

const folder = makeFolder({ "index.html": "HOME", "htbin.json": "{}", "cgi-bin/": "", "users": "" });
after(folder.remove);

const noTerminal = await missingProgram("script", "--version");
const atTerminal = { skip: noTerminal };

/** What is on the screen once the server has started and answered. */
async function screen(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const server = await startCommand(["0", "--no-config", "--directory", folder.path, ...args], {
    terminal: true,
    ...options,
    env: { TERM: "xterm", NO_COLOR: "1", ...options.env },
  });
  try {
    const { port } = server.address;
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    await server.printed(/"GET \/ HTTP\/1\.1"/);
    return server.stdout().replaceAll("\r\n", "\n").replaceAll(String(port), "PORT");
  } finally {
    await server.stop();
  }
}

const address4 = Object.values(networkInterfaces()).flat().find((one) =>
  one?.family === "IPv4" && !one.internal
)
  ?.address;

test(
  "below the first line: where to look, what is served, and that scripts do not run",
  atTerminal,
  async () => {
    const text = await screen([]);
    assert.match(text, /^Serving HTTP on 127\.0\.0\.1 port PORT \(http:\/\/127\.0\.0\.1:PORT\/\) \.\.\.\n\n/);
    assert.match(text, /^ {2}Local {4}http:\/\/127\.0\.0\.1:PORT\/$/m);
    assert.match(text, new RegExp(`^  Folder   ${folder.path}$`, "m"));
    assert.match(text, /^ {2}Scripts {2}not run; --cgi runs those in \/cgi-bin and \/htbin$/m);
    assert.match(text, /^ {2}Stop {5}Ctrl-C$/m);
    assert.doesNotMatch(text, /Network|REACHABLE|Access|\x1b/);
    for (const line of text.split("\n").slice(1)) assert.ok(line.length <= 80, line);
  },
);

test("the addresses for others, who runs scripts, and a warning", {
  skip: noTerminal || (address4 === undefined && "this machine is in no network"),
}, async () => {
  const text = await screen([
    "--bind",
    "0.0.0.0",
    "--cgi-dir",
    "scripts",
    "--cgi-ext",
    ".cgi",
    "--cgi-interpreter",
    ".php=php",
    "--cors",
    "--workers",
    "1",
  ]);
  assert.match(text, /^ {2}Local {4}http:\/\/localhost:PORT\/\n {2}Network {2}http:\/\//m);
  assert.ok(text.includes(`http://${address4}:PORT/`), text);
  assert.match(
    text,
    /^ {2}Scripts {2}\/scripts, \*\.cgi, \*\.php\n {11}\S.*scripts run as |scripts run as you$/m,
  );
  assert.match(text, /^ {2}CORS {5}every site may read$/m);
  assert.match(text, /^htbin: warning: REACHABLE FROM OTHER MACHINES: /m);
  if (process.getuid?.() === 0) assert.match(text, /started as root: scripts run as nobody/);
});

test("colours, where they are wanted", atTerminal, async () => {
  const text = await screen([], { env: { NO_COLOR: "" } });
  assert.match(text, /\x1b\[36mhttp:\/\/127\.0\.0\.1:PORT\/\x1b\[0m\n/);
});

test("Ctrl-C ends its line, and who runs the scripts is said once", atTerminal, async () => {
  const site = makeFolder({ "cgi-bin/hello": script("echo HELLO") });
  const server = await startCommand(["0", "--no-config", "--directory", site.path, "--cgi"], {
    terminal: true,
    env: { TERM: "xterm", NO_COLOR: "1" },
  });
  assert.equal(await (await fetch(`${server.url}cgi-bin/hello`)).text(), "HELLO\n");
  await server.printed(/"GET \/cgi-bin\/hello HTTP\/1\.1" 200 6\r\n/);
  const before = server.stdout();
  assert.ok((before.match(/scripts run as/g)?.length ?? 0) === 1, before);
  for (const pid of childrenOf(server.pid)) process.kill(pid, "SIGINT");
  assert.equal((await server.exited).code, 0);
  assert.equal(server.stdout().slice(before.length), "\r\n");
  site.remove();
});

test("--quiet leaves the first line", atTerminal, async () => {
  const server = await startCommand(["0", "--quiet", "--directory", folder.path], { terminal: true });
  await (await fetch(server.url)).text();
  await server.stop();
  assert.equal(server.stdout().replaceAll("\r\n", "\n"), `${server.banner}\n`);
});

test("on Deno nothing of it needs a permission, but the network's addresses are known with one", {
  skip: noTerminal || (runtime.name !== "deno" && "permissions are Deno's"),
}, async () => {
  const permissions = [`--allow-read=${folder.path}`, "--allow-net"];
  const flags = ["--bind", "0.0.0.0"];
  const without = await screen(flags, { permissions });
  assert.match(without, /Local {4}http:\/\/localhost:PORT\//);
  assert.doesNotMatch(without, /Network|requests|Allow\?/);
  const allowed = await screen(flags, { permissions: [...permissions, "--allow-sys=networkInterfaces"] });
  assert.equal(allowed.includes("Network"), address4 !== undefined);
});

/** The modules of a QR code, drawn two high in each character. */
function modulesOf(drawn: readonly string[]): boolean[][] {
  return drawn.flatMap((line) => {
    const characters = [...line.trimStart()];
    return [
      characters.map((character) => !"█▀".includes(character)),
      characters.map((character) => !"█▄".includes(character)),
    ];
  });
}

test("--qr draws the URL that others can open", {
  skip: noTerminal || (address4 === undefined && "this machine is in no network"),
}, async () => {
  const { encode } = await import("uqr");
  const server = await startCommand(["0", "--bind", "0.0.0.0", "--qr", "--directory", folder.path], {
    terminal: true,
    env: { TERM: "xterm", NO_COLOR: "1" },
  });
  await server.printed(/REACHABLE/);
  await server.stop();
  const drawn = server.stdout().split("\r\n").filter((line) => /^ {2}[█▀▄ ]{20,}$/.test(line));
  const { data, size } = encode(`http://${address4}:${server.address.port}/`, { border: 2 });
  const seen = modulesOf(drawn).slice(0, size).map((row) => row.slice(0, size));
  assert.deepEqual(seen, data);
});

test("--qr where nobody could see it says so", async () => {
  const server = await startCommand(["0", "--qr", "--directory", folder.path]);
  await server.logged(/^htbin: --qr: standard output is no terminal/m);
  const { stdout } = await server.stop();
  assert.equal(stdout, `${server.banner}\n`);
});

const isLinux = process.platform === "linux" ? false : "the program has another name here";

test("--open gives the URL to the desktop", { skip: isLinux }, async () => {
  const programs = makeFolder({ "xdg-open": `#!/bin/sh\nprintf '%s\\n' "$@" > "$0.opened"\n` });
  const note = join(programs.path, "xdg-open.opened");
  const env = { PATH: `${programs.path}:${process.env["PATH"]}` };
  const server = await startCommand(["0", "--open", "--directory", folder.path], { env });
  try {
    await until(() => existsSync(note) && readFileSync(note, "utf8") !== "", "the browser is open");
    assert.equal(readFileSync(note, "utf8"), `${server.url}\n`);
  } finally {
    await server.stop();
    programs.remove();
  }
});

test("--open without a desktop says what to do, and goes on", { skip: isLinux }, async () => {
  const programs = makeFolder({ "xdg-open": "" });
  chmodSync(join(programs.path, "xdg-open"), 0o644);
  writeFileSync(join(programs.path, "xdg-open"), "no program");
  const server = await startCommand(["0", "--open", "--directory", folder.path], {
    env: { PATH: programs.path },
  });
  try {
    await server.logged(
      /^htbin: warning: --open: xdg-open cannot be started: .*; open http:\/\/\S+ yourself$/m,
    );
    assert.equal((await fetch(server.url)).status, 200);
  } finally {
    await server.stop();
    programs.remove();
  }
});
