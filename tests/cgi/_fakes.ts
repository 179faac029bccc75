/**
 * Files and processes that are not there, for tests of what is decided before a script runs.
 *
 * @module
 */

import type { FileInfo, FilePermissions, FileSystem, ProcessHost, UserIdentity } from "../../src/runtime.ts";
import { type MemoryFileSystem, memoryFileSystem, type MemoryNode } from "../_memory_file_system.ts";

/** What a test says about processes. */
export interface FakeProcesses {
  readonly user?: UserIdentity | null | undefined;
  readonly users?: Readonly<Record<string, UserIdentity>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A process host that knows users and variables, and starts nothing. */
export function fakeProcesses(fake: FakeProcesses = {}): ProcessHost {
  return {
    spawn: () => Promise.reject(new Error("nothing is started here")),
    spool: () => Promise.reject(new Error("nothing is spooled here")),
    user: "user" in fake ? fake.user : { uid: 1000, gid: 1000 },
    findUser: (name) => Promise.resolve(fake.users?.[name] ?? null),
    environment: (name) => fake.environment?.[name],
    processors: 1,
  };
}

/** A memory file system with permissions. Files are 755 and folders too, all root's, unless said otherwise. */
export function programFiles(
  tree: Readonly<Record<string, MemoryNode | string>>,
  modes: Readonly<Record<string, number | FilePermissions>> = {},
): MemoryFileSystem & Required<Pick<FileSystem, "isExecutable" | "permissions">> {
  const files = memoryFileSystem(tree);
  async function permissions(path: string): Promise<FilePermissions | null> {
    const real = await files.realPath(path);
    if (real === null) return null;
    const mode = modes[real] ?? 0o755;
    return typeof mode === "number" ? { uid: 0, gid: 0, mode } : mode;
  }
  return Object.assign(files, {
    permissions,
    async isExecutable(path: string) {
      return (((await permissions(path))?.mode ?? 0) & 0o111) !== 0;
    },
  });
}

/** Files on Windows: names in any case, absolute paths with backslashes; folders above a file need no entry. */
export function windowsFiles(
  tree: Readonly<Record<string, string>>,
): FileSystem {
  const names = new Map(
    Object.keys(tree).map((path) => [path.toLowerCase(), path]),
  );
  const memory = memoryFileSystem(
    Object.fromEntries(Object.values(tree).map((content, index) => [`/${index}`, content])),
  );
  const paths = [...names.values()];
  function find(path: string): string | null {
    const wanted = path.toLowerCase();
    const file = names.get(wanted);
    if (file !== undefined) return file;
    return paths.some((name) => name.toLowerCase().startsWith(`${wanted}\\`)) ? path : null;
  }
  return {
    stat(path) {
      const found = find(path);
      if (found === null) return Promise.resolve(null);
      const content = tree[found];
      const info: FileInfo = {
        kind: content === undefined ? "directory" : "file",
        size: content?.length ?? 0,
        mtimeMs: 0,
        identity: null,
      };
      return Promise.resolve(info);
    },
    realPath: (path) => Promise.resolve(find(path)),
    open(path) {
      const found = find(path);
      return found === null ? Promise.resolve(null) : memory.open(`/${paths.indexOf(found)}`);
    },
    list: () => Promise.resolve(null),
    isExecutable: () => Promise.resolve(true),
  };
}
