/**
 * Trees of files that nobody would think of, the same ones for the same seed.
 *
 * @module
 */

import type { StaticOptions } from "../../src/static/options.ts";
import type { MemoryNode } from "../_memory_file_system.ts";
import { randomNumbers } from "../_random.ts";

/** Chooses by chance, the same way each time. */
export interface Chance {
  /** A whole number from 0 to below `below`. */
  number(below: number): number;
  /** `true` once in `times`. */
  once(times: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** Begins anew with each seed. */
export function chance(seed: number): Chance {
  const next = randomNumbers(seed);
  const number = (below: number) => Math.floor(next() * below);
  return {
    number,
    once: (times) => number(times) === 0,
    pick: (items) => items[number(items.length)] as never,
  };
}

/** Every name that occurs; a listed folder is asked for all of them. */
export const NAMES = [
  "a.txt",
  "b",
  "page.html",
  "sub",
  "Sub",
  "é.txt",
  "a b.txt",
  "c#d?.txt",
  "50%.txt",
  "%2e%2e",
  "a:b.txt",
  "<b>&amp;\"'.txt",
  "...x",
  ".env",
  ".git",
  ".well-known",
  ".well-known-old",
  "cgi-bin",
  "CGI-BIN",
  "run.cgi",
  "RUN.CGI",
  "nul",
  "con.txt",
  "ABCDEF~1.TXT",
  "dot.",
  "space ",
  "x::$DATA",
  "back\\slash",
  "new\nline",
  "index.htm",
] as const;

/** A file's content is where it is: so a test can tell what it was given. */
function fileAt(path: string, unreadable: boolean): MemoryNode {
  return unreadable ? { content: path, unreadable } : { content: path };
}

/** What a tree is made with. */
export interface TreeChoices {
  /** Whether some files and folders cannot be read. */
  readonly unreadable: boolean;
}

/** A tree below `/a` and `/b`, which may be served, and `/outside`, which may not. */
export function randomTree(by: Chance, choices: TreeChoices): Record<string, MemoryNode> {
  const tree: Record<string, MemoryNode> = {};
  const folders: string[] = [];
  function fill(folder: string, depth: number): void {
    folders.push(folder);
    tree[folder] = { directory: true };
    for (let left = 2 + by.number(7); left > 0; left--) {
      const path = `${folder}/${by.once(12) ? "index.html" : by.pick(NAMES)}`;
      if (path in tree) continue;
      const kind = by.number(20);
      if (kind < 8) tree[path] = fileAt(path, choices.unreadable && by.once(6));
      else if (kind < 13 && depth > 0) fill(path, depth - 1);
      else if (kind < 19) tree[path] = { link: linkFrom(by, folder) };
      else tree[path] = { special: "fifo" };
    }
    if (choices.unreadable && depth < 3 && by.once(8)) tree[folder] = { directory: true, unreadable: true };
  }
  for (const root of ["/a", "/b", "/outside"]) fill(root, 3);
  return tree;
}

function linkFrom(by: Chance, folder: string): string {
  const up = "../".repeat(by.number(4));
  return by.pick([
    by.pick(NAMES),
    `${up}${by.pick(NAMES)}`,
    `${up}${by.pick(NAMES)}/${by.pick(NAMES)}`,
    `/a/${by.pick(NAMES)}`,
    `/b/${by.pick(NAMES)}`,
    `/outside/${by.pick(NAMES)}`,
    "/outside",
    "/a",
    folder,
    ".",
  ]);
}

/** Options to serve such a tree with. */
export function randomOptions(by: Chance): Partial<StaticOptions> {
  return {
    root: by.once(3) ? ["/a", "/b"] : "/a",
    listing: true,
    dotfiles: by.pick([false, false, true, "deny"] as const),
    followSymlinks: by.pick([false, false, true, "never"] as const),
    cgiDirectories: by.once(2) ? ["cgi-bin", "sub/cgi-bin"] : [],
    cgiExtensions: by.once(2) ? [".cgi"] : [],
    index: by.once(3) ? [] : ["index.html", "index.htm"],
    cleanUrls: by.once(4),
  };
}
