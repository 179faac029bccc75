/**
 * Files on Node.
 *
 * @module
 */

import { type Dir, lstat, opendir, opendirSync } from "node:fs";
import type { DirectoryEntry, FileSystem } from "../../src/runtime.ts";
import { calledBack } from "../shared/called_back.ts";
import { directoryEntry } from "../shared/directory_entry.ts";
import { filesIn, lookThroughProc } from "../shared/files_in.ts";
import { ask, nodeFiles, type PathQuestion, warm } from "../shared/node_files.ts";
import { fileError } from "../shared/system_error.ts";
import { turn } from "../shared/turns.ts";

/** Files on Node. */
export const files: FileSystem = {
  ...nodeFiles,
  list,
  filesIn: filesIn(lookThroughProc, (path) => calledBack((callback) => lstat(path, callback))),
  turn,
};

/** Names that are read at once. At Node's default of 32, trips through the thread pool take most of the time. */
const AT_ONCE = 256;

const opening: PathQuestion<Dir> = {
  action: "list",
  directly: (path) => opendirSync(path, { bufferSize: AT_ONCE }),
  asynchronously: (path) => calledBack((callback) => opendir(path, { bufferSize: AT_ONCE }, callback)),
};

async function list(
  path: string,
): Promise<AsyncIterable<DirectoryEntry> | null> {
  const directory = await ask(opening, path);
  return directory && entries(path, directory);
}

/** A promise for each name would take longer than all the rest: those that Node has read already are taken directly. */
async function* entries(
  path: string,
  directory: Dir,
): AsyncGenerator<DirectoryEntry> {
  const names = `${path}/.`;
  const isWarm = warm.isWarm(names);
  try {
    for (;;) {
      let found = isWarm ? warm.directly(() => directory.readSync()) : await directory.read();
      for (let left = AT_ONCE; found !== null; found = directory.readSync()) {
        const entry = directoryEntry(path, found);
        const known = entry instanceof Promise ? await entry : entry;
        if (known !== null) yield known;
        if (--left === 0) break;
      }
      if (found === null) break;
      if (isWarm) await turn();
    }
    if (!isWarm) warm.met(names);
  } catch (error) {
    throw fileError(error, "list", path);
  } finally {
    directory.closeSync();
  }
}
