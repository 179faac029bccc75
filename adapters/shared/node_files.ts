/**
 * Reading files through `node:fs`: all of it on Node and Bun, the open files on Deno.
 *
 * @module
 */

import {
  access,
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  open,
  openSync,
  realpath,
  realpathSync,
  stat,
  type Stats,
  statSync,
} from "node:fs";
import {
  FileError,
  type FileInfo,
  type FilePermissions,
  type FileSystem,
  type OpenFile,
} from "../../src/runtime.ts";
import { calledBack } from "./called_back.ts";
import { type Look, observer } from "./observation.ts";
import { fileInfo, openFile } from "./open_file.ts";
import { fileError, isAbsence, isExpressible } from "./system_error.ts";
import { type WarmPaths, warmPaths } from "./warm_paths.ts";

/** One question about a path, both ways of asking it. Absence is an error or `null`. */
export interface PathQuestion<T> {
  readonly action: string;
  directly(path: string): T | null;
  asynchronously(path: string): Promise<T | null>;
}

/** Which paths may be asked about directly. */
export const warm: WarmPaths = warmPaths();

/** Asks `question` of `path`, the cheap way where that is safe. Absence is `null`, the rest a `FileError`. */
export async function ask<T>(
  question: PathQuestion<T>,
  path: string,
): Promise<T | null> {
  if (!isExpressible(path)) return null;
  try {
    if (warm.isWarm(path)) {
      return warm.directly(() => question.directly(path));
    }
    const answer = await question.asynchronously(path);
    warm.met(path);
    return answer;
  } catch (error) {
    if (!isAbsence(error)) throw fileError(error, question.action, path);
    warm.met(path);
    return null;
  }
}

const status: PathQuestion<Stats> = {
  action: "look at",
  directly: (path) => statSync(path, { throwIfNoEntry: false }) ?? null,
  asynchronously: (path) => calledBack((callback) => stat(path, callback)),
};

const resolution: PathQuestion<string> = {
  action: "resolve",
  directly: realpathSync.native,
  asynchronously: (path) => calledBack((callback) => realpath.native(path, callback)),
};

// Without O_NONBLOCK, a FIFO put in the file's place after it was looked at would hold a thread of the pool for ever.
// Windows has neither flag, and no FIFOs in its file system.
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) |
  (constants.O_NOCTTY ?? 0);

const opening: PathQuestion<number> = {
  action: "open",
  directly: (path) => openSync(path, openFlags),
  asynchronously: (path) => calledBack((callback) => open(path, openFlags, callback)),
};

const execution: PathQuestion<true> = {
  action: "look at",
  directly(path) {
    accessSync(path, constants.X_OK);
    return true;
  },
  async asynchronously(path) {
    await calledBack((callback) => access(path, constants.X_OK, callback));
    return true;
  },
};

/** {@linkcode FileSystem.stat} */
export async function statPath(path: string): Promise<FileInfo | null> {
  const stats = await ask(status, path);
  return stats === null ? null : fileInfo(stats);
}

/** {@linkcode FileSystem.permissions} */
export async function permissions(
  path: string,
): Promise<FilePermissions | null> {
  const stats = await ask(status, path);
  if (stats === null) return null;
  return { uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o777 };
}

/** {@linkcode FileSystem.realPath} */
export function realPath(path: string): Promise<string | null> {
  return ask(resolution, path);
}

/** {@linkcode FileSystem.open}, for a path that has just been seen to be a regular file. */
export async function openRegularFile(path: string): Promise<OpenFile | null> {
  const fd = await ask(opening, path);
  if (fd === null) return null;
  let stats: Stats;
  try {
    stats = fstatSync(fd);
  } catch (error) {
    closeSync(fd);
    throw fileError(error, "open", path);
  }
  // Something else was put in its place since.
  if (!stats.isFile()) {
    closeSync(fd);
    return null;
  }
  return openFile(fd, path, stats);
}

/** {@linkcode FileSystem.open} */
export async function openPath(path: string): Promise<OpenFile | null> {
  const found = await statPath(path);
  return found?.kind === "file" ? openRegularFile(path) : null;
}

/** {@linkcode FileSystem.isExecutable} */
export async function isExecutable(path: string): Promise<boolean> {
  if ((await statPath(path))?.kind !== "file") return false;
  try {
    return await ask(execution, path) === true;
  } catch (error) {
    if (error instanceof FileError && error.reason === "denied") return false;
    throw error;
  }
}

/** How `node:fs` looks at a path. */
export const look: Look<Stats> = {
  status: (path) => lstatSync(path, { throwIfNoEntry: false }) ?? null,
  info: fileInfo,
  changedMs: (stats) => stats.ctimeMs,
  isSame: (a, b) => a.ino === b.ino && a.dev === b.dev,
  isUnchanged: (a, b) => a.ctimeMs === b.ctimeMs && a.mtimeMs === b.mtimeMs && a.size === b.size,
};

/** All of {@linkcode FileSystem} but `list`, which Node and Bun read differently. */
export const nodeFiles: Omit<FileSystem, "list"> = {
  stat: statPath,
  realPath,
  open: openPath,
  isExecutable,
  permissions,
  observe: observer(look, warm),
};
