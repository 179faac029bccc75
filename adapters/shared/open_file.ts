/**
 * A regular file opened by number, as the core sees it: whole versions only, and a descriptor that is closed once.
 *
 * A number and not a `FileHandle`, because a handle is closed by the garbage collector, on Bun under a running read.
 *
 * @module
 */

import { closeSync, fstatSync, read, readSync, type Stats } from "node:fs";
import {
  type Bytes,
  type ByteSpan,
  FileError,
  type FileInfo,
  type FileTransfer,
  type OpenFile,
} from "../../src/runtime.ts";
import { descriptorPath } from "./descriptor_path.ts";
import { fileError } from "./system_error.ts";
import { type WarmPaths, warmPaths } from "./warm_paths.ts";

/** Bytes a stream reads at once: at 64 KiB the thread pool takes three times as long, at 1 MiB slow clients hold memory. */
const pieceSize = 256 * 1024;

/**
 * Up to here, bytes that were read a moment ago are read again without the thread pool. Less than a piece: a long stream
 * shall not take turn after turn.
 */
const smallSize = 128 * 1024;

/**
 * A file that was written to less than this before it was opened, in milliseconds, may grow while it is read: a log that
 * is being written could never be read to its end otherwise. Less than the age at which entity tags become strong.
 */
const youngMs = 1500;

/** By path and position for what is read as a whole, by path for what is read piece by piece. */
const warmContents: WarmPaths = warmPaths();

/** What `stat` knows, in the core's terms. */
export function fileInfo(stats: Stats): FileInfo {
  return {
    kind: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other",
    size: stats.size,
    mtimeMs: Math.floor(stats.mtimeMs),
    identity: `${stats.dev}:${stats.ino}`,
  };
}

/** A descriptor with what must be known to close it once, and never under a running read or write. */
export interface Descriptor {
  readonly fd: number;
  readonly path: string;
  uses: number;
  released: boolean;
  closed: boolean;
}

// A file that its user forgot would be open for ever: numbers mean nothing to the collector.
const forgotten = new FinalizationRegistry<Descriptor>(release);

/** Takes over an open descriptor. */
export function descriptorOf(fd: number, path: string): Descriptor {
  return { fd, path, uses: 0, released: false, closed: false };
}

/** Closes `descriptor` when `owner` is garbage, unless it has been closed before. */
export function closeWith(owner: object, descriptor: Descriptor): void {
  forgotten.register(owner, descriptor, descriptor);
}

/** Closes the descriptor, or leaves it to the read or write that is still running. */
export function release(descriptor: Descriptor): void {
  descriptor.released = true;
  if (descriptor.uses > 0 || descriptor.closed) return;
  descriptor.closed = true;
  forgotten.unregister(descriptor);
  try {
    closeSync(descriptor.fd);
  } catch {
    // It was only read from: there is nothing to lose.
  }
}

/** Runs `use` while the descriptor cannot be closed, however early it is released. `action` is for the error. */
export async function holding<T>(
  descriptor: Descriptor,
  action: "read" | "write",
  use: () => Promise<T>,
): Promise<T> {
  const { path } = descriptor;
  if (descriptor.released) {
    throw closed(action, path);
  }
  descriptor.uses++;
  try {
    return await use();
  } catch (error) {
    throw fileError(error, action, path);
  } finally {
    descriptor.uses--;
    if (descriptor.released) release(descriptor);
  }
}

/** Reads into `into` from `position` until it is full or the file ends; says how many bytes there were. */
export async function readInto(
  descriptor: Descriptor,
  into: Uint8Array,
  position: number,
): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const count = await readOnce(descriptor, into, filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

function readOnce(
  descriptor: Descriptor,
  into: Uint8Array,
  filled: number,
  position: number,
): number | Promise<number> {
  const { fd, path } = descriptor;
  const length = into.length - filled;
  const isSmall = length <= smallSize;
  const part = isSmall ? `${path}:${position}` : "";
  if (isSmall && warmContents.isWarm(part)) {
    return warmContents.directly(() => readSync(fd, into, filled, length, position));
  }
  return new Promise((resolve, reject) => {
    read(fd, into, filled, length, position, (error, count) => {
      if (error) return reject(error);
      if (isSmall) warmContents.met(part);
      warmContents.met(path);
      resolve(count);
    });
  });
}

/** Makes the core's file of a descriptor whose `stats` say that it is a regular one. */
export function openFile(fd: number, path: string, stats: Stats): OpenFile {
  const descriptor = descriptorOf(fd, path);
  const info = fileInfo(stats);
  const mayGrow = Date.now() - stats.mtimeMs < youngMs;
  const readPart = (position: number, length: number, into: Bytes = new Uint8Array(length)) =>
    holding(descriptor, "read", async () => {
      const bytes = into.subarray(0, length);
      const count = await readInto(descriptor, bytes, position);
      // Compared after the read: whoever writes sets the time first. So bytes of two versions never pass as one.
      if (count < length || isOther(fd, stats, mayGrow)) throw changed(path);
      return bytes;
    });
  function readNow({ offset, length }: ByteSpan, into: Bytes): Bytes | null {
    if (descriptor.released) throw closed("read", path);
    if (!warmContents.isWarm(path)) return null;
    const bytes = into.subarray(0, length);
    try {
      const count = warmContents.directly(() => readSync(fd, bytes, 0, length, offset));
      if (count < length || isOther(fd, stats, mayGrow)) throw changed(path);
      return bytes;
    } catch (error) {
      throw fileError(error, "read", path);
    }
  }
  function moveNow(span: ByteSpan, transfer: FileTransfer): number {
    if (descriptor.released) throw closed("read", path);
    if (!warmContents.isWarm(path)) return 0;
    try {
      const count = warmContents.directly(() => transfer(fd, span));
      if (isOther(fd, stats, mayGrow)) throw changed(path);
      return Math.max(0, count);
    } catch (error) {
      throw fileError(error, "read", path);
    }
  }
  const file: OpenFile = {
    info,
    realPath: () => descriptor.closed ? null : descriptorPath(fd),
    read: (span, into) => readPart(span.offset, span.length, into),
    readNow,
    moveNow,
    // `file` is kept by what the stream keeps: the collector cannot close a file that is being read.
    stream: (span) => streamOf(span, readPart, () => release(descriptor), file),
    close() {
      release(descriptor);
      return Promise.resolve();
    },
  };
  closeWith(file, descriptor);
  return file;
}

function isOther(fd: number, before: Stats, mayGrow: boolean): boolean {
  const now = fstatSync(fd);
  if (mayGrow && now.size > before.size) return false;
  return now.size !== before.size || now.mtimeMs !== before.mtimeMs;
}

function closed(action: string, path: string): FileError {
  return new FileError("failed", `Cannot ${action} ${path}: it is closed`);
}

function changed(path: string): FileError {
  return new FileError("changed", `Cannot read ${path}: it was changed`);
}

function streamOf(
  span: ByteSpan,
  readPart: (position: number, length: number) => Promise<Bytes>,
  done: () => void,
  owner: OpenFile,
): ReadableStream<Bytes> {
  let position = span.offset;
  const end = span.offset + span.length;
  let kept: OpenFile | null = owner;
  const finish = () => {
    kept = null;
    done();
  };
  return new ReadableStream<Bytes>({
    start(controller) {
      if (position < end) return;
      finish();
      controller.close();
    },
    async pull(controller) {
      try {
        const piece = await readPart(
          position,
          Math.min(pieceSize, end - position),
        );
        if (kept === null) return;
        position += piece.length;
        controller.enqueue(piece);
        if (position < end) return;
        finish();
        controller.close();
      } catch (error) {
        finish();
        throw error;
      }
    },
    cancel: finish,
  }, { highWaterMark: 0 });
}
