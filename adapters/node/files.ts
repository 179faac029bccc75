/**
 * Files on Node.
 *
 * @module
 */

import { type Dir, opendir } from "node:fs";
import type { DirectoryEntry, FileSystem } from "../../src/runtime.ts";
import { calledBack } from "../shared/called_back.ts";
import { directoryEntry } from "../shared/directory_entry.ts";
import { nodeFiles } from "../shared/node_files.ts";
import { fileError, isAbsence, isExpressible } from "../shared/system_error.ts";

/** Files on Node. */
export const files: FileSystem = { ...nodeFiles, list };

async function list(
  path: string,
): Promise<AsyncIterable<DirectoryEntry> | null> {
  if (!isExpressible(path)) return null;
  try {
    // Node's default of 32 names at a time makes a trip through the thread pool of each 32.
    return entries(path, await calledBack<Dir>((callback) => opendir(path, { bufferSize: 256 }, callback)));
  } catch (error) {
    if (isAbsence(error)) return null;
    throw fileError(error, "list", path);
  }
}

async function* entries(
  path: string,
  directory: Dir,
): AsyncGenerator<DirectoryEntry> {
  try {
    for await (const found of directory) {
      const entry = directoryEntry(path, found);
      const known = entry instanceof Promise ? await entry : entry;
      if (known !== null) yield known;
    }
  } catch (error) {
    throw fileError(error, "list", path);
  }
}
