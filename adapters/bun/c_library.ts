/**
 * What Bun has no call for, asked of the C library: on Linux with glibc.
 *
 * @module
 */

import { type Move, moveToPipe, type PipeCalls } from "../shared/node_http/pass_bodies.ts";
import { process } from "../shared/process.ts";

interface Calls {
  splice(from: number, _: null, to: number, __: null, most: number, flags: number): number;
  poll(list: Int16Array, count: number, milliseconds: number): number;
}

/** The part of `bun:ffi` that is used here. */
interface Ffi {
  dlopen(name: string, calls: object): { readonly symbols: Calls };
}

/** `null`: there is none. */
let library: PipeCalls | null | undefined;

/** Moves what has come to a connection without TLS. */
export const moveFrom: Move = (socket, pipe, most) => {
  // Not before it is needed.
  library ??= library === undefined ? load() : null;
  const { _handle: handle } = socket as { _handle?: { readonly fd?: unknown } | null };
  const descriptor = handle?.fd;
  if (library === null || typeof descriptor !== "number" || descriptor < 0) return 0;
  return moveToPipe(library, descriptor, pipe, most);
};

function load(): PipeCalls | null {
  if (process.platform !== "linux") return null;
  try {
    const { dlopen } = process.getBuiltinModule("bun:ffi") as unknown as Ffi;
    const { splice, poll } = dlopen("libc.so.6", {
      splice: { args: ["i32", "ptr", "i32", "ptr", "usize", "u32"], returns: "i32" },
      poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
    }).symbols;
    return {
      splice: (from, to, most, flags) => splice(from, null, to, null, most, flags),
      poll: (looked) => poll(looked, 1, 0),
    };
  } catch {
    // Another C library, or none.
    return null;
  }
}
