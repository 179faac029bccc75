/**
 * The scripts of the CGI conformance suite, written to a temporary folder as the cases ask for them.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { toBytes } from "../../_http.ts";

/** In the source of every script, and in nothing that one prints. */
export const SOURCE = "SOURCE-OF-A-SCRIPT";

/** Prints the head of a text. */
export const HEAD = "printf 'Content-Type: text/plain\\n\\n'";

/** Prints every variable, argument and the working directory, one a line. */
const ENV = `printf 'Content-Type: text/plain\\nX-Test-Header: X-Test-Value\\n\\n'
/usr/bin/env
for word in "$@"; do printf 'argument=%s\\n' "$word"; done
printf 'directory=%s\\n' "$(pwd)"`;

let folder: string | undefined;
let count = 0;

/** The folder that everything is in, with the site's root in it. Its real path. */
function base(): string {
  if (folder !== undefined) return folder;
  folder = realpathSync(mkdtempSync(join(tmpdir(), "htbin-cgi-")));
  // Scripts may run as another user.
  chmodSync(folder, 0o755);
  for (const [name, source] of Object.entries(COMMON)) shell(name, source);
  file("site/index.html", "HOME");
  file("site/page.html", "PAGE");
  file("site/sub/index.html", "SUB");
  shell("../test.cgi", ENV);
  return folder;
}

const COMMON: Readonly<Record<string, string>> = {
  "env.sh": ENV,
  "echo.sh": `${HEAD}; exec cat`,
  "hello.sh": "printf 'Content-Type: text/html\\n\\nHello World\\n'",
  // What it is told of the body, and what there is of it.
  "count.sh": `${HEAD}; echo "$CONTENT_LENGTH $(wc -c | tr -d ' ')"`,
};

/** The root of the site. */
export function root(): string {
  return join(base(), "site");
}

/** A path beside or below the root's, its folders made. */
export function pathOf(name: string): string {
  return join(base(), name);
}

/** A path where nothing is yet. */
export function freshPath(): string {
  return pathOf(`fresh-${++count}`);
}

/** Writes a file. Returns its path. */
export function file(name: string, content: string | Uint8Array, mode = 0o644): string {
  const path = pathOf(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** Writes a shell script to `cgi-bin`. Returns its URL path. */
export function shell(name: string, body: string): string {
  return script(name, `#!/bin/sh\n# ${SOURCE}\n${body}\n`);
}

/** Writes a script as it is to `cgi-bin`. Returns its URL path. */
export function script(name: string, source: string | Uint8Array, mode = 0o755): string {
  file(join("site/cgi-bin", name), source, mode);
  return `/cgi-bin/${name}`;
}

/** Writes a script that prints exactly these bytes. Characters stand for the bytes of their numbers. Returns its URL path. */
export function printing(name: string, output: string | Uint8Array): string {
  const bytes = typeof output === "string"
    ? Uint8Array.from(output, (character) => character.charCodeAt(0))
    : output;
  file(`output/${name}`, bytes);
  return shell(name, `exec cat '${pathOf(`output/${name}`)}'`);
}

/** Shell: waits until the test has made this file. */
export function waitFor(path: string): string {
  return `while [ ! -e '${path}' ]; do sleep 0.02; done`;
}

/** Makes the file that a script waits for. */
export function release(path: string): void {
  writeFileSync(path, "");
}

/** The numbers that a script has written to a file, once there are so many. */
export async function numbersIn(path: string, length: number): Promise<readonly number[]> {
  const read = () => existsSync(path) ? readFileSync(path, "utf8").trim().split(/\s+/) : [];
  await until(() => read().length >= length, `${length} numbers in ${path}`);
  return read().map(Number);
}

/** Waits for what no event tells of. */
export async function until(condition: () => boolean, what: string, limit = 15_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Still not so: ${what}`);
    await delay(10);
  }
}

/** A pause: for a client that is slow, never for a condition. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether a process is there and has not ended. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Ended, but not reaped by whoever has become its parent: no concern of this server.
    return !/ Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** Waits for the end of processes. */
export async function allGone(pids: readonly number[]): Promise<void> {
  await until(() => !pids.some(isRunning), `the end of ${pids}`);
}

/** Why cases that need a program cannot run here. */
export function missing(program: string, ...args: string[]): string | undefined {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return undefined;
  } catch {
    return `There is no ${program} on this machine.`;
  }
}

/** Bytes that repeat nothing soon. */
export function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
}

/** As many bytes of text. */
export function text(size: number): Uint8Array {
  return toBytes("0123456789abcdef".repeat(Math.ceil(size / 16)).slice(0, size));
}

/** Removes everything. */
export function removeScripts(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}
