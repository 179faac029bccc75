/**
 * Files on Bun.
 *
 * @module
 */

import { type Dirent, lstat, readdir } from "node:fs";
import type { DirectoryEntry, FileSystem } from "../../src/runtime.ts";
import { calledBack } from "../shared/called_back.ts";
import { directoryEntry } from "../shared/directory_entry.ts";
import { filesIn } from "../shared/files_in.ts";
import { nodeFiles } from "../shared/node_files.ts";
import { fileError, isAbsence, isExpressible } from "../shared/system_error.ts";
import { turn } from "../shared/turns.ts";
import { lookInFolder } from "./c_library.ts";

/** Files on Bun. */
export const files: FileSystem = {
  ...nodeFiles,
  list,
  filesIn: filesIn(lookInFolder, (path) => calledBack((callback) => lstat(path, callback))),
  turn,
};

async function list(
  path: string,
): Promise<AsyncIterable<DirectoryEntry> | null> {
  if (!isExpressible(path)) return null;
  try {
    // Bun's opendir reads all names as well, but on the event loop's own thread: 100,000 names hold it for 40 ms.
    const all = await calledBack<Dirent[]>((callback) => readdir(path, { withFileTypes: true }, callback));
    return entries(path, all);
  } catch (error) {
    if (isAbsence(error)) return null;
    throw fileError(error, "list", path);
  }
}

async function* entries(
  path: string,
  all: readonly Dirent[],
): AsyncGenerator<DirectoryEntry> {
  for (const [index, found] of all.entries()) {
    const entry = directoryEntry(path, found);
    const known = entry instanceof Promise ? await entry : entry;
    if (known !== null) yield known;
    // The names are all there: without a turn of the event loop now and then, nothing else would run meanwhile.
    if (index % 1000 === 999) await new Promise((turn) => setImmediate(turn));
  }
}
