/**
 * Whether the system can run a file, told by its first bytes.
 *
 * Node and Deno start programs in a way that gives what the system cannot run to `/bin/sh`, line by line: a page of
 * HTML with a wrong mode would be run as a script. Bun does not. So that one thing happens everywhere, it is told before.
 *
 * @module
 */

import { closeSync, constants, openSync, readdirSync, readSync, statSync } from "node:fs";
import { process } from "./process.ts";

// elf(5) e_machine, by `process.arch`. x64 and arm64 run their 32-bit forebears.
const machines: Readonly<Record<string, readonly number[]>> = {
  x64: [62, 3],
  ia32: [3],
  arm64: [183, 40],
  arm: [40],
  riscv64: [243],
  ppc64: [21],
  s390x: [22],
};

const machMagic = new Set([
  0xfeedface,
  0xfeedfacf,
  0xcefaedfe,
  0xcffaedfe,
  0xcafebabe,
]);

/** `true` also where it cannot be told: then the system will say. */
export function isRunnable(program: string): boolean {
  if (process.platform === "win32") return true;
  const head = headOf(program);
  return head === null || isRunnableHead(head);
}

/** Whether the system can run a file that begins with these bytes. */
export function isRunnableHead(head: Uint8Array): boolean {
  return isKnownFormat(head) || knowsMoreFormats();
}

/** The first 256 bytes of a regular file, or `null`. Read directly: starting it is a direct call too. */
export function headOf(program: string): Uint8Array | null {
  try {
    if (!statSync(program).isFile()) return null;
    const fd = openSync(program, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const head = new Uint8Array(256);
      return head.subarray(0, readSync(fd, head, 0, head.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

/** The path that a first line such as `#!/bin/sh -e` names. */
export function interpreterIn(head: Uint8Array): string | null {
  const [line = ""] = new TextDecoder().decode(head).split("\n", 1);
  return /^#![ \t]*([^ \t]+)/.exec(line)?.[1] ?? null;
}

/** The format's own marks: `#!`, ELF for this machine, or Mach-O. */
export function isKnownFormat(
  head: Uint8Array,
  arch: string = process.arch,
): boolean {
  if (head[0] === 0x23 && head[1] === 0x21) return true;
  if (head.length < 20) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const magic = view.getUint32(0);
  if (process.platform === "darwin" && machMagic.has(magic)) return true;
  if (magic !== 0x7f454c46) return false;
  const machine = view.getUint16(18, head[5] === 1);
  return machines[arch]?.includes(machine) ?? true;
}

/** Whether an administrator has taught the kernel other formats (Linux's binfmt_misc). */
function knowsMoreFormats(): boolean {
  try {
    return readdirSync("/proc/sys/fs/binfmt_misc")
      .some((name) => name !== "register" && name !== "status");
  } catch {
    return false;
  }
}
