/**
 * A temporary file without a name, for a request body that must be whole before it is used.
 *
 * @module
 */

import { constants, fchown, open, openSync, unlink, write, writeSync } from "node:fs";
import { type Bytes, FileError, type SpoolFile, type UserIdentity } from "../../src/runtime.ts";
import { calledBack } from "./called_back.ts";
import { closeWith, type Descriptor, descriptorOf, holding, readInto, release } from "./open_file.ts";
import { process } from "./process.ts";
import { errorCode, fileError } from "./system_error.ts";
import { type WarmPaths, warmPaths } from "./warm_paths.ts";

const pieceSize = 64 * 1024;

// Linux makes a file that never had a name; the constant is not among Node's (asm-generic/fcntl.h).
const linuxTemporaryFile = 0o20000000;

// What kernels and file systems say that cannot do so.
const unsupported = new Set(["EOPNOTSUPP", "ENOTSUP", "EISDIR", "EINVAL"]);

// Where one was made a moment ago, the next one and what goes into it are made without the thread pool.
const warmDirectories: WarmPaths = warmPaths();

const descriptors = new WeakMap<SpoolFile, Descriptor>();

/** The number under which the file is open, for a program to inherit. `null` if it is closed, or not one of ours. */
export function spoolDescriptor(spool: SpoolFile): number | null {
  const descriptor = descriptors.get(spool);
  return descriptor === undefined || descriptor.released ? null : descriptor.fd;
}

/** Lets the user open the file again by `/dev/stdin`, which asks for the right to it. */
export async function giveTo(fd: number, user: UserIdentity): Promise<void> {
  try {
    await calledBack((callback) => fchown(fd, user.uid, user.gid, callback));
  } catch {
    // Reading the descriptor itself needs no right.
  }
}

/** Makes an empty file in `directory`. Rejects with a `FileError`. */
export async function createSpool(directory: string): Promise<SpoolFile> {
  let fd: number;
  try {
    fd = await openNameless(directory);
  } catch (error) {
    throw fileError(error, "make a temporary file in", directory);
  }
  const path = `${directory}/(temporary file)`;
  return spoolOf(descriptorOf(fd, path), directory);
}

async function openNameless(directory: string): Promise<number> {
  if (process.platform === "linux") {
    try {
      return await openWithoutName(directory);
    } catch (error) {
      if (!unsupported.has(errorCode(error))) throw error;
    }
  }
  const path = `${directory}/htbin-${crypto.randomUUID()}`;
  const fd = await calledBack<number>((callback) => open(path, "wx+", 0o600, callback));
  await calledBack((callback) => unlink(path, callback));
  return fd;
}

async function openWithoutName(directory: string): Promise<number> {
  const flags = linuxTemporaryFile | constants.O_DIRECTORY |
    constants.O_RDWR | constants.O_EXCL;
  if (warmDirectories.isWarm(directory)) {
    return warmDirectories.directly(() => openSync(directory, flags, 0o600));
  }
  const fd = await calledBack<number>((callback) => open(directory, flags, 0o600, callback));
  warmDirectories.met(directory);
  return fd;
}

function spoolOf(descriptor: Descriptor, directory: string): SpoolFile {
  let size = 0;
  const spool: SpoolFile = {
    get size() {
      return size;
    },
    write(chunk) {
      const position = size;
      size += chunk.length;
      const direct = chunk.length <= pieceSize && warmDirectories.isWarm(directory);
      // Deno takes 3 ms and more to hand over a piece of a chunked body while writes go through the pool.
      warmDirectories.met(directory);
      return writeAll(descriptor, chunk, position, direct ? writeDirectly : writeThroughPool);
    },
    stream: () => streamOf(descriptor, () => spool.size),
    close() {
      release(descriptor);
      return Promise.resolve();
    },
  };
  descriptors.set(spool, descriptor);
  closeWith(spool, descriptor);
  return spool;
}

type Write = (fd: number, chunk: Uint8Array, position: number) => number | Promise<number>;

// At a position, so that the descriptor itself stays at the start, where its next user begins.
function writeAll(
  descriptor: Descriptor,
  chunk: Uint8Array,
  position: number,
  writeSome: Write,
): Promise<void> {
  return holding(descriptor, "write", async () => {
    for (let done = 0; done < chunk.length;) {
      done += await writeSome(descriptor.fd, chunk.subarray(done), position + done);
    }
  });
}

function writeDirectly(fd: number, chunk: Uint8Array, position: number): number {
  return warmDirectories.directly(() => writeSync(fd, chunk, 0, chunk.length, position));
}

function writeThroughPool(fd: number, chunk: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, chunk, 0, chunk.length, position, (error, count) => error ? reject(error) : resolve(count));
  });
}

function streamOf(
  descriptor: Descriptor,
  size: () => number,
): ReadableStream<Bytes> {
  let position = 0;
  const finish = () => release(descriptor);
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const length = Math.min(pieceSize, size() - position);
      const piece: Bytes = new Uint8Array(length);
      try {
        if (length > 0) await readPiece(descriptor, piece, position);
      } catch (error) {
        finish();
        throw error;
      }
      position += length;
      if (length > 0) controller.enqueue(piece);
      if (position < size()) return;
      finish();
      controller.close();
    },
    cancel: finish,
  }, { highWaterMark: 0 });
}

async function readPiece(
  descriptor: Descriptor,
  piece: Uint8Array,
  position: number,
): Promise<void> {
  const count = await holding(
    descriptor,
    "read",
    () => readInto(descriptor, piece, position),
  );
  if (count === piece.length) return;
  throw new FileError("changed", `Cannot read ${descriptor.path}: it shrank`);
}
