/**
 * What Bun has no call for, asked of the C library: on Linux with glibc.
 *
 * @module
 */

import type { Socket } from "node:net";
import { type LookIn, lookThroughProc } from "../shared/files_in.ts";
import { type FolderCalls, lookByLibrary } from "../shared/look_by_library.ts";
import type { SendFile } from "../shared/node_http/response.ts";
import type { SendNow } from "../shared/node_http/send_now.ts";
import { sendFlags, type SystemCalls } from "../shared/node_http/system_calls.ts";
import { process } from "../shared/process.ts";

interface Calls {
  splice(from: number, _: null, to: number, __: null, most: number, flags: number): number;
  poll(list: Int16Array, count: number, milliseconds: number): number;
  ioctl(descriptor: number, request: number, result: Int32Array): number;
  sendfile(to: number, from: number, position: BigInt64Array, most: number): number;
  send(to: number, bytes: Uint8Array, length: number, flags: number): number;
}

/** The part of `bun:ffi` that is used here. */
interface Ffi<T> {
  dlopen(name: string, calls: object): { readonly symbols: T };
}

/** `null`: there is none. */
let loaded: Calls | null | undefined;

/** Not before it is needed. */
function library(): Calls | null {
  return loaded === undefined ? loaded = load() : loaded;
}

/** What is asked past Bun, of connections without TLS. */
export const systemCalls: SystemCalls = {
  descriptorOf: (socket) => library() === null ? null : descriptorOf(socket),
  splice: (from, to, most, flags) => library()!.splice(from, null, to, null, most, flags),
  poll: (looked) => library()!.poll(looked, 1, 0),
  ioctl: (descriptor, request, result) => library()!.ioctl(descriptor, request, result),
};

/** Sends over connections without TLS. */
export const sendFile: SendFile = (socket) => {
  const calls = library();
  const to = descriptorOf(socket);
  if (calls === null || to === null) return null;
  return (file, { offset, length }) => {
    position[0] = BigInt(offset);
    return calls.sendfile(to, file, position, length);
  };
};

/** The same for bytes. */
export const sendNow: SendNow = (socket) => {
  const calls = library();
  const to = descriptorOf(socket);
  if (calls === null || to === null) return null;
  return (bytes, more) => calls.send(to, bytes, bytes.length, sendFlags(more));
};

const position = new BigInt64Array(1);

/** `null`: there are none. Apart: an older library lacks the first of them. */
let folderCalls: FolderCalls | null | undefined;

/** Looks for names in an open folder. */
export const lookInFolder: LookIn = (folder) => {
  if (folderCalls === undefined) folderCalls = loadFolderCalls();
  return folderCalls === null ? lookThroughProc(folder) : lookByLibrary(folderCalls)(folder);
};

/** A socket that is closed has none. */
function descriptorOf(socket: Socket): number | null {
  const { _handle: handle } = socket as { _handle?: { readonly fd?: unknown } | null };
  const descriptor = handle?.fd;
  return typeof descriptor === "number" && descriptor >= 0 ? descriptor : null;
}

function load(): Calls | null {
  return open<Calls>({
    splice: { args: ["i32", "ptr", "i32", "ptr", "usize", "u32"], returns: "i32" },
    poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
    ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
    sendfile: { args: ["i32", "i32", "ptr", "usize"], returns: "i32" },
    send: { args: ["i32", "ptr", "usize", "i32"], returns: "i32" },
  });
}

function loadFolderCalls(): FolderCalls | null {
  return open<FolderCalls>({
    statx: { args: ["i32", "ptr", "i32", "u32", "ptr"], returns: "i32" },
    faccessat: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
  });
}

function open<T>(calls: object): T | null {
  if (process.platform !== "linux") return null;
  try {
    const { dlopen } = process.getBuiltinModule("bun:ffi") as unknown as Ffi<T>;
    return dlopen("libc.so.6", calls).symbols;
  } catch {
    // Another C library, or none.
    return null;
  }
}
