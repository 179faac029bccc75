/**
 * What Deno has no call for, asked of the C library: on Linux with glibc, with `-A`.
 *
 * @module
 */

import { writeSync } from "node:fs";
import type { Bytes, FileTransfer } from "../../src/runtime.ts";
import type { SendNow } from "../shared/node_http/send_now.ts";
import type { LookIn } from "../shared/files_in.ts";
import { lookByLibrary } from "../shared/look_by_library.ts";
import { errorCode } from "../shared/system_error.ts";
import { sendFlags, type SystemCalls } from "../shared/node_http/system_calls.ts";
import { isGranted } from "./permissions.ts";

const NAME = "libc.so.6";
const CALLS = {
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  splice: { parameters: ["i32", "pointer", "i32", "pointer", "usize", "u32"], result: "i32" },
  sendfile: { parameters: ["i32", "i32", "buffer", "usize"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // Never so much that the result needs more.
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
} as const;

let loaded: Deno.DynamicLibrary<typeof CALLS> | null = null;

/** Not before it is needed: that takes milliseconds. */
function library(): Deno.DynamicLibrary<typeof CALLS> {
  return loaded ??= Deno.dlopen(NAME, CALLS);
}

const GETDENTS = { name: "getdents64", parameters: ["i32", "buffer", "usize"], result: "i32" } as const;
const FOLDER_CALLS = {
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  faccessat: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  read: GETDENTS,
  readInThread: { ...GETDENTS, nonblocking: true },
} as const;

let folderLibrary: Deno.DynamicLibrary<typeof FOLDER_CALLS> | null | undefined;

/** Apart, and `null` where there is none: an older library lacks some of these. */
function folderCalls(): Deno.DynamicLibrary<typeof FOLDER_CALLS>["symbols"] | null {
  if (folderLibrary === undefined) {
    try {
      folderLibrary = hasLibrary() ? Deno.dlopen(NAME, FOLDER_CALLS) : null;
    } catch {
      folderLibrary = null;
    }
  }
  return folderLibrary && folderLibrary.symbols;
}

/** Looks for names in an open folder. */
export const lookInFolder: LookIn = (folder) => {
  const calls = folderCalls();
  return calls && lookByLibrary(calls)(folder);
};

/** Reads names of an open folder as the system writes them (`struct linux_dirent64`): directly, or in a thread. */
export function namesReader(): {
  now(folder: number, into: Bytes): number;
  later(folder: number, into: Bytes): Promise<number>;
} | null {
  const calls = folderCalls();
  return calls && {
    now: (folder, into) => calls.read(folder, into, BigInt(into.length)),
    later: (folder, into) => calls.readInThread(folder, into, BigInt(into.length)),
  };
}

/** Whether it can be asked. */
export function hasLibrary(): boolean {
  return Deno.build.os === "linux" && Deno.build.env === "gnu" && isGranted({ name: "ffi" });
}

/** `AF_UNSPEC`, and nothing else: to connect to that is what Linux takes for a reset. */
const NOWHERE = new Uint8Array(16);

/**
 * Resets a connection (RFC 9293 section 3.10.5), which is then to be closed. Where nothing but the end of the connection
 * ends a body, a reset alone tells a part of it from the whole.
 */
export function reset(connection: Deno.TcpConn): void {
  const descriptor = descriptorOf(connection);
  if (descriptor !== null) library().symbols.connect(descriptor, NOWHERE, NOWHERE.length);
}

/** What is asked past Deno. */
export function systemCalls(descriptorOf: SystemCalls["descriptorOf"]): SystemCalls {
  return {
    descriptorOf,
    splice: (from, to, most, flags) => library().symbols.splice(from, null, to, null, BigInt(most), flags),
    poll: (looked) => library().symbols.poll(looked, 1n, 0),
    ioctl: (descriptor, request, result) => library().symbols.ioctl(descriptor, BigInt(request), result),
  };
}

/** How to send parts of files over a connection, as much as it takes without waiting. */
export function transferTo(connection: Deno.TcpConn): FileTransfer | null {
  const to = descriptorOf(connection);
  if (to === null) return null;
  const { sendfile } = library().symbols;
  return (file, { offset, length }) => {
    position[0] = BigInt(offset);
    return sendfile(to, file, position, BigInt(length));
  };
}

/** The same for bytes. */
export function senderTo(connection: Deno.TcpConn): ReturnType<SendNow> {
  const to = descriptorOf(connection);
  if (to === null) return null;
  const { send } = library().symbols;
  return (bytes, more) => send(to, bytes as Uint8Array<ArrayBuffer>, BigInt(bytes.length), sendFlags(more));
}

const position = new BigInt64Array(1);

/** A connection's descriptor. Deno keeps it under a symbol that it gives to nobody. */
export function descriptorOf(connection: Deno.TcpConn): number | null {
  const symbol = Object.getOwnPropertySymbols(connection)
    .find(({ description }) => description === "Deno.internal.fd");
  const value: unknown = symbol && Reflect.get(connection, symbol);
  return typeof value === "number" && value >= 0 ? value : null;
}

/**
 * Writes what a pipe has room for, and returns how much that was. Deno's own goes on until all is taken, and then says
 * that this would have to be waited for.
 */
export function writeParts(descriptor: number, parts: readonly Uint8Array[]): number {
  let total = 0;
  for (const part of parts) {
    const taken = library().symbols.write(descriptor, part as Uint8Array<ArrayBuffer>, BigInt(part.length));
    if (taken > 0) total += taken;
    else if (total === 0 && part.length > 0) return writeLittle(descriptor, part);
    if (taken < part.length) break;
  }
  return total;
}

/** As much as a pipe takes as a whole or not at all (PIPE_BUF), in bytes. */
const LITTLE = 4096;

/** Tells what is wrong, if it is not that there is no room. */
function writeLittle(descriptor: number, part: Uint8Array): number {
  try {
    return writeSync(descriptor, part.subarray(0, LITTLE));
  } catch (error) {
    if (errorCode(error) === "EAGAIN") return 0;
    throw error;
  }
}
