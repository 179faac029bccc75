/**
 * The runtime the tests are running on, and what most tests need of it.
 *
 * @module
 */

import { readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { chmod, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { TestContext } from "node:test";
import { runtime } from "../adapters/auto.ts";

export { runtime };

/** Whether file modes mean nothing to this process, and it may become anybody. */
export const isRoot: boolean = process.geteuid?.() === 0;

/** A reason to skip a test that needs root, or `false`. */
export const needsRoot: string | false = isRoot ? false : "only root may become another user";

/** A reason to skip a test that reads /proc, or `false`. */
export const needsProc: string | false = process.platform === "linux" ? false : "there is no /proc";

/** `nobody` on every Linux. */
export const nobody: { readonly uid: number; readonly gid: number } = {
  uid: 65534,
  gid: 65534,
};

/** Folders that are still there. */
const temporary = new Set<string>();

// Deno's node:test does not do what is to be done after an `it()`, nor is there an exit after a test file.
if (runtime.name === "deno") {
  (globalThis as unknown as EventTarget).addEventListener("unload", () => {
    for (const path of temporary) rmSync(path, { recursive: true, force: true });
  });
}

/** An empty folder that everybody may enter, without a link in its path; removed after the test. */
export async function temporaryDirectory(t: TestContext): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "htbin-test-")));
  temporary.add(path);
  await chmod(path, 0o755);
  t.after(async () => {
    await rm(path, { recursive: true, force: true });
    temporary.delete(path);
  });
  return path;
}

/** The processes that a process has started, where there is a /proc. */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8");
    return text.split(" ").filter((word) => word.trim() !== "").map(Number);
  });
}

/** Waits for something that no event tells of. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error(`Still not so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Everything a stream has to say, as text. */
export async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
  }
}

/** The command that runs a module of these tests on this runtime. `permissions` are Deno's flags. */
export function runModule(
  url: URL,
  args: readonly string[],
  permissions: readonly string[] = ["-A"],
): readonly string[] {
  const run = runtime.name === "deno" ? ["run", "--no-prompt", ...permissions] : [];
  return [process.execPath, ...run, url.pathname, ...args];
}

/** What this process has open. */
export function descriptors(): string[] {
  return readdirSync("/proc/self/fd").flatMap((number) => {
    try {
      return [readlinkSync(`/proc/self/fd/${number}`)];
    } catch {
      return [];
    }
  });
}
