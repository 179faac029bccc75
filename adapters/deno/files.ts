/**
 * Files on Deno: its own calls for paths, which are quicker there than `node:fs`, and descriptors of `node:fs`, which
 * can be opened without blocking and read at a position.
 *
 * @module
 */

import type {
  DirectoryEntry,
  FileInfo,
  FilePermissions,
  FileSystem,
  Observation,
  OpenFile,
} from "../../src/runtime.ts";
import { withoutDescriptorPaths } from "../shared/descriptor_path.ts";
import { filesIn } from "../shared/files_in.ts";
import { ask, openRegularFile, type PathQuestion, warm } from "../shared/node_files.ts";
import { type Look, observer } from "../shared/observation.ts";
import { fileError, isAbsence, isExpressible } from "../shared/system_error.ts";
import { turn } from "../shared/turns.ts";
import { lookInFolder } from "./c_library.ts";
import { type RawName, readNames } from "./names.ts";
import { mayExecute } from "./obstacle.ts";
import { demandFileAccess, isAllGranted } from "./permissions.ts";
import { currentUser } from "./user.ts";

/** Files on Deno. */
export const files: FileSystem = {
  stat,
  realPath,
  open,
  list,
  filesIn: filesIn(lookInFolder, Deno.lstat),
  isExecutable,
  permissions,
  observe,
  turn,
};

// Below /proc, Deno lets only those read who may do everything.
if (!isAllGranted()) withoutDescriptorPaths();

const status: PathQuestion<Deno.FileInfo> = {
  action: "look at",
  directly: Deno.statSync,
  asynchronously: Deno.stat,
};

const resolution: PathQuestion<string> = {
  action: "resolve",
  directly: Deno.realPathSync,
  asynchronously: Deno.realPath,
};

async function stat(path: string): Promise<FileInfo | null> {
  const found = await fullStatus(path);
  return found === null ? null : fileInfo(found);
}

function fileInfo(found: Deno.FileInfo): FileInfo {
  return {
    kind: found.isFile ? "file" : found.isDirectory ? "directory" : "other",
    size: found.size,
    mtimeMs: found.mtime === null ? null : Math.floor(found.mtime.getTime()),
    identity: found.ino === null ? null : `${found.dev}:${found.ino}`,
  };
}

/** How Deno looks at a path. */
export const look: Look<Deno.FileInfo> = {
  status: Deno.lstatSync,
  info: fileInfo,
  changedMs: ({ ctime }) => ctime?.getTime() ?? null,
  isSame: (a, b) => a.ino === b.ino && a.dev === b.dev,
  isUnchanged: (a, b) =>
    a.ctime?.getTime() === b.ctime?.getTime() && a.mtime?.getTime() === b.mtime?.getTime() &&
    a.size === b.size,
};

const observeGranted = observer(look, warm);

function observe(path: string): Observation | null {
  try {
    demandFileAccess("read", "look at", path);
  } catch {
    return null;
  }
  return observeGranted(path);
}

async function fullStatus(path: string): Promise<Deno.FileInfo | null> {
  if (!isExpressible(path)) return null;
  demandFileAccess("read", "look at", path);
  return await ask(status, path);
}

async function realPath(path: string): Promise<string | null> {
  if (!isExpressible(path)) return null;
  demandFileAccess("read", "resolve", path);
  return await ask(resolution, path);
}

async function open(path: string): Promise<OpenFile | null> {
  const found = await fullStatus(path);
  return found?.isFile ? await openRegularFile(path) : null;
}

async function isExecutable(path: string): Promise<boolean> {
  const found = await fullStatus(path);
  if (found === null || !found.isFile) return false;
  return mayExecute(found, currentUser() ?? null);
}

async function permissions(path: string): Promise<FilePermissions | null> {
  const found = await fullStatus(path);
  if (found === null) return null;
  const { uid, gid, mode } = found;
  // Windows has none of them: everybody may do everything, as far as can be told.
  return { uid: uid ?? 0, gid: gid ?? 0, mode: mode === null ? 0o777 : mode & 0o777 };
}

async function list(
  path: string,
): Promise<AsyncIterable<DirectoryEntry> | null> {
  if (!isExpressible(path)) return null;
  demandFileAccess("read", "list", path);
  const names = await readNames(path);
  if (names !== undefined) return names && known(path, names);
  try {
    // Deno opens the directory when the first name is asked for.
    const names = Deno.readDir(path)[Symbol.asyncIterator]();
    return entries(path, names, await names.next());
  } catch (error) {
    if (isAbsence(error)) return null;
    throw fileError(error, "list", path);
  }
}

/** The names that can be asked for. */
async function* known(path: string, pieces: AsyncIterable<RawName[]>): AsyncGenerator<DirectoryEntry> {
  for await (const piece of pieces) {
    for (const { name, kind } of piece) {
      const found = name === null ? null : kind ?? await kindOf(path, name);
      if (found !== null) yield { name: name!, kind: found };
    }
  }
}

async function* entries(
  path: string,
  names: AsyncIterator<Deno.DirEntry>,
  first: IteratorResult<Deno.DirEntry>,
): AsyncGenerator<DirectoryEntry> {
  try {
    for (let next = first; !next.done; next = await names.next()) {
      const { name } = next.value;
      // U+FFFD stands for bytes that are not UTF-8: unless it is in the name itself, nothing has this name.
      if (!name.includes("\uFFFD") || await kindOf(path, name) !== null) {
        yield { name, kind: kindIn(next.value) };
      }
    }
  } catch (error) {
    throw fileError(error, "list", path);
  } finally {
    await names.return?.();
  }
}

function kindIn({ isFile, isDirectory, isSymlink }: Omit<Deno.DirEntry, "name">): DirectoryEntry["kind"] {
  if (isFile) return "file";
  if (isDirectory) return "directory";
  return isSymlink ? "link" : "other";
}

/** `null` for what is not there. */
async function kindOf(directory: string, name: string): Promise<DirectoryEntry["kind"] | null> {
  try {
    return kindIn(await Deno.lstat(`${directory}/${name}`));
  } catch {
    return null;
  }
}
