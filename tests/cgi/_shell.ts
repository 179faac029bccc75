/**
 * What tests of running shell scripts have in common.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { exchange, get, type RawResponse, type Target } from "../_http.ts";
import { temporaryFolder } from "./_temporary.ts";

/** Shell text that writes a head. */
export const HEAD = "printf 'Content-Type: text/plain\\n\\n'";

/** Shell text that waits until something is at the path. */
export function until(path: string): string {
  return `while [ ! -e ${path} ]; do sleep 0.02; done`;
}

/** Gives paths that nothing is at yet. */
export function freshPaths(): () => string {
  const folder = temporaryFolder();
  let names = 0;
  return () => join(folder, String(names++));
}

/** A response that was broken off: `null` when that was before its head was sent. */
export async function brokenOff(
  target: Target,
  request: string = get("/"),
): Promise<RawResponse | null> {
  const response = await exchange(target, request).catch((error: Error) => {
    assert.match(error.message, /The connection ended \((?:reset|fin)\) before a response/);
    return null;
  });
  assert.equal(response?.complete ?? false, false, response?.text);
  return response;
}

/** Waits for what no event tells. */
export async function waitFor(condition: () => boolean, what: string): Promise<void> {
  const started = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - started < 10_000, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The numbers of the processes that a script has written to a file. */
export async function pidsIn(path: string, count: number): Promise<readonly number[]> {
  const read = () => existsSync(path) ? readFileSync(path, "utf8").trim().split(/\s+/) : [];
  await waitFor(() => read().length === count, `${count} process numbers`);
  return read().map(Number);
}

/** Waits until none of these processes runs. */
export async function allGone(pids: readonly number[]): Promise<void> {
  await waitFor(() => !pids.some(runs), `the end of ${pids}`);
}

/** A zombie has ended, and waits for whoever has become its parent. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/ Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return existsSync(`/proc/${pid}`);
  }
}
