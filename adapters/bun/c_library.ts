/**
 * What Bun has no call for, asked of the C library: on Linux with glibc.
 *
 * @module
 */

import type { Move } from "../shared/node_http/pass_bodies.ts";
import { process } from "../shared/process.ts";

type Splice = (from: number, _: null, to: number, __: null, most: number, flags: number) => number;
type Poll = (list: Int16Array, count: number, milliseconds: number) => number;

interface Calls {
  readonly splice: Splice;
  readonly poll: Poll;
}

/** The part of `bun:ffi` that is used here. */
interface Ffi {
  dlopen(name: string, calls: object): { readonly symbols: Calls };
}

/** `null`: there is none. */
let library: Calls | null | undefined;

/** `SPLICE_F_NONBLOCK`. */
const NONBLOCK = 2;

/** Has the system move bytes of a connection without TLS into a pipe: they are not copied. */
export const moveToPipe: Move = (socket, pipe, most) => {
  // Not before it is needed.
  library ??= library === undefined ? load() : null;
  const { _handle: handle } = socket as { _handle?: { readonly fd?: unknown } | null };
  const descriptor = handle?.fd;
  if (library === null || typeof descriptor !== "number" || descriptor < 0) return 0;
  const moved = library.splice(descriptor, null, pipe, null, most, NONBLOCK);
  // What is wrong, the next reading or writing tells.
  return moved > 0 ? moved : isFull(library, pipe) ? -1 : 0;
};

/** A `struct pollfd`. */
const looked = new Int16Array(4);
const POLLOUT = 4;

function isFull({ poll }: Calls, pipe: number): boolean {
  looked.set([pipe, pipe >> 16, POLLOUT, 0]);
  return poll(looked, 1, 0) === 0;
}

function load(): Calls | null {
  if (process.platform !== "linux") return null;
  try {
    const { dlopen } = process.getBuiltinModule("bun:ffi") as unknown as Ffi;
    return dlopen("libc.so.6", {
      splice: { args: ["i32", "ptr", "i32", "ptr", "usize", "u32"], returns: "i32" },
      poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
    }).symbols;
  } catch {
    // Another C library, or none.
    return null;
  }
}
