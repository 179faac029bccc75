/**
 * What a folder shows: its index, its listing, or nothing.
 *
 * @module
 */

import { FileError, type FileSystem } from "../runtime.ts";
import type { Evidence } from "./evidence.ts";
import type { FoundDirectory, FoundFile, Lookup } from "./lookup.ts";

/** What showing folders goes by. */
export interface DirectoryView {
  readonly fileSystem: FileSystem;
  readonly lookup: Lookup;
  /** Names of index files, in order. */
  readonly index: readonly string[];
  /** Whether folders without one are listed. */
  readonly listing: boolean;
}

/** The file that answers for a folder, or `null`. The caller closes it. */
export async function findIndex(
  view: DirectoryView,
  segments: readonly string[],
  evidence: Evidence | null = null,
): Promise<FoundFile | null> {
  for (const name of view.index) {
    const found = await view.lookup.find([...segments, name], undefined, evidence);
    if (found.kind === "file") return found;
    // That it is one says nothing of what it may be later.
    if (found.kind === "directory") evidence?.spoil();
  }
  return null;
}

/** Whether a request for the folder would be answered with something. A folder that shows nothing is as if not there. */
export async function isShowable(view: DirectoryView, directory: FoundDirectory): Promise<boolean> {
  const index = await findIndex(view, directory.segments);
  if (index !== null) {
    await index.file.close();
    return true;
  }
  if (!view.listing) return false;
  for (const { real } of directory.places) {
    if (!await isReadable(view.fileSystem, real)) return false;
  }
  return true;
}

async function isReadable(fileSystem: FileSystem, real: string): Promise<boolean> {
  try {
    const entries = await fileSystem.list(real);
    if (entries === null) return false;
    const iterator = entries[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.return?.();
    return true;
  } catch (error) {
    if (error instanceof FileError && error.reason === "denied") return false;
    throw error;
  }
}
