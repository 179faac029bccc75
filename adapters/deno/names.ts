/**
 * The names of a folder as the C library gives them: Deno's own way makes a promise and an object of each, which takes
 * five times as long.
 *
 * @module
 */

import { constants, open, openSync } from "node:fs";
import { type Bytes, type DirectoryEntry, FileError } from "../../src/runtime.ts";
import { calledBack } from "../shared/called_back.ts";
import { ask, type PathQuestion, warm } from "../shared/node_files.ts";
import { closeWith, type Descriptor, descriptorOf, release } from "../shared/open_file.ts";
import { turn } from "../shared/turns.ts";
import { namesReader } from "./c_library.ts";

/** Room for two to four hundred names: they hold the event loop for some tenths of a millisecond. */
const ROOM = 8192;

const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK;

const opening: PathQuestion<number> = {
  action: "list",
  directly: (path) => openSync(path, flags),
  asynchronously: (path) => calledBack((callback) => open(path, flags, callback)),
};

/** What the C library says of one name: `null` for the kind where the file system does not tell. */
export interface RawName {
  /** `null` for bytes that are not UTF-8: no path can name it. */
  readonly name: string | null;
  readonly kind: DirectoryEntry["kind"] | null;
}

/** The names of a folder, as many at a time as were read at once; `null` where there is none, `undefined` where the C library cannot be asked. */
export async function readNames(path: string): Promise<AsyncIterable<RawName[]> | null | undefined> {
  const reader = namesReader();
  if (reader === null) return undefined;
  const folder = await ask(opening, path);
  if (folder === null) return null;
  const descriptor = descriptorOf(folder, path);
  const names = rawNames(descriptor, reader);
  // Nobody may come to read them.
  closeWith(names, descriptor);
  return names;
}

async function* rawNames(
  descriptor: Descriptor,
  { now, later }: NonNullable<ReturnType<typeof namesReader>>,
): AsyncGenerator<RawName[]> {
  const { fd, path } = descriptor;
  const key = `${path}/.`;
  const isWarm = warm.isWarm(key);
  const bytes = new Uint8Array(ROOM);
  try {
    for (;;) {
      const count = isWarm ? warm.directly(() => now(fd, bytes)) : await later(fd, bytes);
      if (count < 0) throw new FileError("failed", `Cannot list ${path}: it cannot be read any more`);
      if (count === 0) break;
      yield parseNames(bytes.subarray(0, count));
      await turn();
    }
    if (!isWarm) warm.met(key);
  } finally {
    release(descriptor);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `d_type` of `struct linux_dirent64`; 0 is for what is not known. */
const KINDS: Readonly<Record<number, RawName["kind"]>> = { 0: null, 4: "directory", 8: "file", 10: "link" };

/** Takes `struct linux_dirent64` apart, one after the other. Deno runs on no machine with another order of bytes. */
function parseNames(bytes: Bytes): RawName[] {
  const names: RawName[] = [];
  for (let start = 0; start < bytes.length; start += bytes[start + 16]! + 256 * bytes[start + 17]!) {
    const kind = KINDS[bytes[start + 18]!];
    const name = decode(bytes.subarray(start + 19, bytes.indexOf(0, start + 19)));
    if (name !== "." && name !== "..") names.push({ name, kind: kind === undefined ? "other" : kind });
  }
  return names;
}

function decode(bytes: Bytes): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
