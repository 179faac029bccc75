/**
 * Many files of one folder, for a listing: each with two direct questions to the system, which take microseconds where
 * its files are in memory. `open()` of each asks six, to be sure where the file is. Here the folder is opened, once, and
 * names are looked for in what was opened, wherever its path leads by then.
 *
 * Whether they are in memory is found out as `warm_paths.ts` does: the first of them are asked for in threads, and so
 * are the next ones whenever that, or a direct question, has taken long.
 *
 * @module
 */

import { accessSync, closeSync, constants, lstatSync, openSync } from "node:fs";
import { now } from "../../src/clock.ts";
import type { FileSystem, ListedFile } from "../../src/runtime.ts";
import { descriptorPath } from "./descriptor_path.ts";
import { warm } from "./node_files.ts";
import { process } from "./process.ts";
import { isExpressible } from "./system_error.ts";

/** Looks for a name in the folder, links not followed. `null` for all but a regular file that may be read. */
export type LookFor = (name: string) => ListedFile | null;

/** How a runtime looks at names in an open folder; `null` where it cannot be sure of what it sees. */
export type LookIn = (folder: number) => LookFor | null;

/** So many are looked at before others may have their turn: that takes some tenths of a millisecond. */
const PIECE = 32;

/** So many are asked for in threads at first. */
const FIRST = 8;

/** In milliseconds, what a trip through threads may take, and a direct question. */
const TRIP_MS = 5;
const LOOK_MS = 0.5;

/** Makes {@linkcode FileSystem.filesIn}. `lookAhead` asks about a path in a thread, whatever comes of it. */
export function filesIn(
  lookIn: LookIn,
  lookAhead: (path: string) => Promise<unknown>,
): NonNullable<FileSystem["filesIn"]> {
  async function areQuick(directory: string, names: readonly string[]): Promise<boolean> {
    const began = now();
    await Promise.allSettled(names.map((name) => lookAhead(`${directory}/${name}`)));
    return now() - began < TRIP_MS;
  }
  return async function* (directory, names) {
    const folder = openFolder(directory);
    if (folder === null) return;
    try {
      const lookFor = lookIn(folder);
      if (lookFor === null) return;
      const look = orNull(lookFor);
      const key = `${directory}/`;
      let isWarm = warm.isWarm(key);
      for (let start = 0; start < names.length;) {
        const length = isWarm || start > 0 ? PIECE : FIRST;
        const piece = names.slice(start, start + length);
        if (!isWarm) isWarm = await areQuick(directory, piece);
        const found = warm.whileQuick(look, piece, LOOK_MS);
        if (found.length === 0) return;
        if (found.length < piece.length) isWarm = false;
        start += found.length;
        yield found;
      }
      if (isWarm) warm.met(key);
    } finally {
      closeSync(folder);
    }
  };
}

/** Also `null` where it fails: why is found out by whoever looks at the name by itself. */
function orNull(look: LookFor): LookFor {
  return (name) => {
    try {
      return isExpressible(name) && !name.includes("/") ? look(name) : null;
    } catch {
      return null;
    }
  };
}

const flags = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);

/** `null` where the system does not tell that this is what is open, and not what has just taken its place. */
function openFolder(directory: string): number | null {
  let folder: number;
  try {
    folder = openSync(directory, flags);
  } catch {
    return null;
  }
  if (descriptorPath(folder) === directory) return folder;
  closeSync(folder);
  return null;
}

/** Where an open folder has a path of its own, which leads into it and nowhere else. */
export const lookThroughProc: LookIn = (folder) => {
  const { geteuid, getuid, getegid, getgid } = process;
  // What `access()` says is of the user who has started this process.
  if (geteuid?.() !== getuid?.() || getegid?.() !== getgid?.()) return null;
  return (name) => {
    const path = `/proc/self/fd/${folder}/${name}`;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats?.isFile()) return null;
    accessSync(path, constants.R_OK);
    return { size: stats.size, mtimeMs: Math.floor(stats.mtimeMs) };
  };
};
