/**
 * A temporary file without a name, for a request body that must be whole before it is used.
 *
 * @module
 */

import { constants, fchown, open, unlink, write } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { type Bytes, FileError, type SpoolFile, type UserIdentity } from "../../src/runtime.ts";
import { closeWith, type Descriptor, descriptorOf, holding, readInto, release } from "./open_file.ts";
import { errorCode, fileError } from "./system_error.ts";

const pieceSize = 64 * 1024;

// Linux makes a file that never had a name; the constant is not among Node's (asm-generic/fcntl.h).
const linuxTemporaryFile = 0o20000000;

// What kernels and file systems say that cannot do so.
const unsupported = new Set(["EOPNOTSUPP", "ENOTSUP", "EISDIR", "EINVAL"]);

const descriptors = new WeakMap<SpoolFile, Descriptor>();

/** The number under which the file is open, for a program to inherit. `null` if it is closed, or not one of ours. */
export function spoolDescriptor(spool: SpoolFile): number | null {
  const descriptor = descriptors.get(spool);
  return descriptor === undefined || descriptor.released ? null : descriptor.fd;
}

/** Lets the user open the file again by `/dev/stdin`, which asks for the right to it. */
export async function giveTo(fd: number, user: UserIdentity): Promise<void> {
  try {
    await promisify(fchown)(fd, user.uid, user.gid);
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
  const path = join(directory, "(temporary file)");
  return spoolOf(descriptorOf(fd, path));
}

async function openNameless(directory: string): Promise<number> {
  if (process.platform === "linux") {
    const flags = linuxTemporaryFile | constants.O_DIRECTORY |
      constants.O_RDWR | constants.O_EXCL;
    try {
      return await promisify(open)(directory, flags, 0o600);
    } catch (error) {
      if (!unsupported.has(errorCode(error))) throw error;
    }
  }
  const path = join(directory, `htbin-${crypto.randomUUID()}`);
  const fd = await promisify(open)(path, "wx+", 0o600);
  await promisify(unlink)(path);
  return fd;
}

function spoolOf(descriptor: Descriptor): SpoolFile {
  let size = 0;
  const spool: SpoolFile = {
    get size() {
      return size;
    },
    async write(chunk) {
      const position = size;
      size += chunk.length;
      await writeAt(descriptor, chunk, position);
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

// At a position, so that the descriptor itself stays at the start, where its next user begins.
async function writeAt(
  descriptor: Descriptor,
  chunk: Uint8Array,
  position: number,
): Promise<void> {
  if (descriptor.released) {
    throw new FileError(
      "failed",
      `Cannot write ${descriptor.path}: it is closed`,
    );
  }
  const { fd, path } = descriptor;
  for (let done = 0; done < chunk.length;) {
    done += await new Promise<number>((resolve, reject) => {
      const length = chunk.length - done;
      write(fd, chunk, done, length, position + done, (error, count) => {
        if (error) reject(fileError(error, "write", path));
        else resolve(count);
      });
    });
  }
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
    () => readInto(descriptor, piece, position),
  );
  if (count === piece.length) return;
  throw new FileError("changed", `Cannot read ${descriptor.path}: it shrank`);
}
