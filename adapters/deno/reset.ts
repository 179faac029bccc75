/**
 * The end of a connection by a reset (RFC 9293 section 3.10.5), for which Deno has no call of its own.
 *
 * Where nothing but the end of the connection ends a body, a reset alone tells a part of it from the whole.
 *
 * @module
 */

import { isGranted } from "./permissions.ts";

/** How the C library is called that knows how, and what of it. */
const LIBRARY = "libc.so.6";
const CALLS = { connect: { parameters: ["i32", "buffer", "u32"], result: "i32" } } as const;

/** `AF_UNSPEC`, and nothing else: to connect to that is what Linux takes for a reset. */
const NOWHERE = new Uint8Array(16);

let library: Deno.DynamicLibrary<typeof CALLS> | null = null;

/** Whether connections can be reset: on Linux with glibc, with `-A`. */
export function canReset(): boolean {
  return Deno.build.os === "linux" && Deno.build.env === "gnu" && isGranted({ name: "ffi" });
}

/** Resets one, which is then to be closed. */
export function reset(connection: Deno.TcpConn): void {
  const descriptor = descriptorOf(connection);
  if (descriptor === null) return;
  library ??= Deno.dlopen(LIBRARY, CALLS);
  library.symbols.connect(descriptor, NOWHERE, NOWHERE.length);
}

/** Deno keeps it under a symbol that it gives to nobody. */
function descriptorOf(connection: Deno.TcpConn): number | null {
  const symbol = Object.getOwnPropertySymbols(connection)
    .find(({ description }) => description === "Deno.internal.fd");
  const value: unknown = symbol && Reflect.get(connection, symbol);
  return typeof value === "number" && value >= 0 ? value : null;
}
