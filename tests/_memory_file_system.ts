/**
 * A {@linkcode FileSystem} in a Map, for tests without a disk: links, FIFOs, unreadable files, running out of
 * descriptors, and a count of what is open.
 *
 * @module
 */

import {
  type Bytes,
  type ByteSpan,
  type DirectoryEntry,
  FileError,
  type FileInfo,
  type FileSystem,
  type OpenFile,
} from "../src/runtime.ts";

/** What a path holds. */
export type MemoryNode =
  | { readonly content: string | Bytes; readonly mtimeMs?: number | null; readonly unreadable?: boolean }
  | { readonly link: string }
  | { readonly special: "fifo" }
  | { readonly directory: true; readonly mtimeMs?: number; readonly unreadable?: boolean };

/** A file system in a Map, and the handles a test turns. */
export interface MemoryFileSystem extends FileSystem {
  /** Absolute paths without a slash at their end. Folders above an entry need no entry of their own. */
  readonly nodes: Map<string, MemoryNode>;
  /** Files that are open now. */
  readonly open: FileSystem["open"];
  openCount(): number;
  /** Calls by method since the start. */
  readonly calls: { stat: number; realPath: number; open: number; list: number };
  /** While set, opening fails as it does when the process is out of descriptors. */
  exhausted: boolean;
}

/** The mtime of entries that name none: 2024-01-02T03:04:05.678Z. */
export const MEMORY_MTIME: number = Date.UTC(2024, 0, 2, 3, 4, 5, 678);

const encoder = new TextEncoder();

/** Makes a file system of a map from path to node; a string stands for a file with that content. */
export function memoryFileSystem(
  tree: Readonly<Record<string, MemoryNode | string>>,
): MemoryFileSystem {
  const nodes = new Map<string, MemoryNode>();
  for (const [path, node] of Object.entries(tree)) {
    nodes.set(path, typeof node === "string" ? { content: node } : node);
  }
  const calls = { stat: 0, realPath: 0, open: 0, list: 0 };
  let openFiles = 0;

  const fileSystem: MemoryFileSystem = {
    nodes,
    calls,
    exhausted: false,
    openCount: () => openFiles,
    stat(path) {
      calls.stat++;
      return settle(() => {
        const real = resolve(nodes, path);
        return real === null ? null : infoOf(nodes, real);
      });
    },
    realPath(path) {
      calls.realPath++;
      return settle(() => resolve(nodes, path));
    },
    open(path) {
      calls.open++;
      return settle(() => {
        const real = resolve(nodes, path);
        const node = real === null ? undefined : nodes.get(real);
        if (node === undefined || !("content" in node)) return null;
        if (fileSystem.exhausted) throw new FileError("exhausted", "EMFILE: too many open files");
        if (node.unreadable) throw new FileError("denied", `EACCES: permission denied, open '${path}'`);
        openFiles++;
        return openFile(nodes, real as string, () => openFiles--);
      });
    },
    list(path) {
      calls.list++;
      return settle(() => {
        const real = resolve(nodes, path);
        if (real === null || infoOf(nodes, real).kind !== "directory") return null;
        const node = nodes.get(real);
        if (node !== undefined && "unreadable" in node && node.unreadable) {
          throw new FileError("denied", `EACCES: permission denied, scandir '${path}'`);
        }
        return entriesOf(nodes, real);
      });
    },
  };
  return fileSystem;
}

/** Asynchronous as a disk is: the answer comes a macrotask-free tick later, and errors reject. */
async function settle<T>(answer: () => T): Promise<T> {
  await null;
  return answer();
}

/** Follows every link; `null` when nothing is there or links go round. An unreadable folder is one of mode 000. */
function resolve(nodes: Map<string, MemoryNode>, path: string): string | null {
  let rest = path.split("/").filter((part) => part !== "");
  let real = "";
  for (let hops = 0; rest.length > 0;) {
    const part = rest[0] as string;
    rest = rest.slice(1);
    if (part === ".") continue;
    if (part === "..") {
      real = real.slice(0, Math.max(0, real.lastIndexOf("/")));
      continue;
    }
    if (part.length > 255 || !isDirectory(nodes, real)) return null;
    const above = nodes.get(real);
    if (above !== undefined && "unreadable" in above && above.unreadable) {
      throw new FileError("denied", `EACCES: permission denied, '${path}'`);
    }
    const next = `${real}/${part}`;
    const node = nodes.get(next);
    if (node !== undefined && "link" in node) {
      if (++hops > 40) return null;
      rest = [...node.link.split("/").filter((piece) => piece !== ""), ...rest];
      if (node.link.startsWith("/")) real = "";
      continue;
    }
    if (node === undefined && !isDirectory(nodes, next)) return null;
    real = next;
  }
  return real === "" ? "/" : real;
}

function isDirectory(nodes: Map<string, MemoryNode>, real: string): boolean {
  if (real === "" || real === "/") return true;
  const node = nodes.get(real);
  if (node !== undefined) return "directory" in node;
  for (const path of nodes.keys()) if (path.startsWith(`${real}/`)) return true;
  return false;
}

function infoOf(nodes: Map<string, MemoryNode>, real: string): FileInfo {
  const node = nodes.get(real);
  if (node !== undefined && "content" in node) {
    const size = bytesOf(node.content).byteLength;
    const mtimeMs = node.mtimeMs === undefined ? MEMORY_MTIME : node.mtimeMs;
    return { kind: "file", size, mtimeMs, identity: `memory:${real}` };
  }
  const other = node !== undefined && "special" in node;
  const mtimeMs = node !== undefined && "directory" in node ? node.mtimeMs ?? MEMORY_MTIME : MEMORY_MTIME;
  return { kind: other ? "other" : "directory", size: 0, mtimeMs, identity: `memory:${real}` };
}

function bytesOf(content: string | Bytes): Bytes {
  return typeof content === "string" ? encoder.encode(content) : content;
}

function* names(nodes: Map<string, MemoryNode>, real: string): Generator<DirectoryEntry> {
  const prefix = real === "/" ? "/" : `${real}/`;
  const seen = new Set<string>();
  for (const path of nodes.keys()) {
    if (!path.startsWith(prefix)) continue;
    const name = path.slice(prefix.length).split("/")[0] as string;
    if (seen.has(name)) continue;
    seen.add(name);
    const node = nodes.get(prefix + name);
    const link = node !== undefined && "link" in node;
    yield { name, kind: link ? "link" : infoOf(nodes, prefix + name).kind };
  }
}

async function* entriesOf(
  nodes: Map<string, MemoryNode>,
  real: string,
): AsyncGenerator<DirectoryEntry> {
  yield* names(nodes, real);
  await null;
}

/** An open file keeps the bytes it was opened with, as a file that is replaced on disk does. */
function openFile(
  nodes: Map<string, MemoryNode>,
  real: string,
  released: () => void,
): OpenFile {
  const info = infoOf(nodes, real);
  const bytes = bytesOf((nodes.get(real) as { content: string | Bytes }).content);
  let closed = false;
  function release(): void {
    if (closed) return;
    closed = true;
    released();
  }
  function slice({ offset, length }: ByteSpan): Bytes {
    if (closed) throw new FileError("failed", "file is closed");
    if (offset + length > bytes.byteLength) throw new FileError("changed", "file is shorter than it was");
    return bytes.slice(offset, offset + length);
  }
  return {
    info,
    read: (span) => settle(() => slice(span)),
    stream(span) {
      let offset = span.offset;
      const end = span.offset + span.length;
      return new ReadableStream<Bytes>({
        pull(controller) {
          if (offset < end) {
            const length = Math.min(65536, end - offset);
            controller.enqueue(slice({ offset, length }));
            offset += length;
          }
          if (offset >= end) {
            release();
            controller.close();
          }
        },
        cancel: release,
      }, { highWaterMark: 0 });
    },
    close: () => settle(release),
  };
}
