/**
 * One name of a directory, in the core's terms, without a look at the file where the directory says its kind.
 *
 * @module
 */

import { type Dirent, lstat, type Stats } from "node:fs";
import type { DirectoryEntry } from "../../src/runtime.ts";
import { calledBack } from "./called_back.ts";
import { fileInfo } from "./open_file.ts";

/** `null` for a name that no path can express, and for one that has just gone. */
export function directoryEntry(
  directory: string,
  entry: Dirent,
): DirectoryEntry | null | Promise<DirectoryEntry | null> {
  const { name } = entry;
  const kind = kindOf(entry);
  // U+FFFD stands for bytes that are not UTF-8: unless it is in the name itself, no file can be asked for by this name.
  return kind === null || name.includes("\uFFFD") ? lookedAt(directory, name) : { name, kind };
}

function kindOf(entry: Dirent): DirectoryEntry["kind"] | null {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "link";
  const special = entry.isFIFO() || entry.isSocket() ||
    entry.isBlockDevice() || entry.isCharacterDevice();
  // Some file systems do not say.
  return special ? "other" : null;
}

async function lookedAt(
  directory: string,
  name: string,
): Promise<DirectoryEntry | null> {
  let stats: Stats;
  try {
    stats = await calledBack((callback) => lstat(`${directory}/${name}`, callback));
  } catch {
    return null;
  }
  const kind = stats.isSymbolicLink() ? "link" : fileInfo(stats).kind;
  return { name, kind };
}
