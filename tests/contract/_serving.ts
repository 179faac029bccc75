/**
 * A listener of the runtime under test, and promises for what happens in it.
 *
 * @module
 */

import process from "node:process";
import { runtime } from "../../adapters/auto.ts";
import type { Handler } from "../../src/handler.ts";
import type { Listener, ListenOptions, TlsOptions } from "../../src/runtime.ts";
import type { Target } from "../_http.ts";

/** A running listener. */
export interface Serving {
  readonly target: Target;
  readonly listener: Listener;
  /** What `onError` was called with. */
  readonly errors: readonly unknown[];
  /** Resolves with the first of them. */
  readonly failed: Promise<unknown>;
}

/** What every listener serves TLS with, where the tests are run over TLS (`network_tls_test.ts`). */
const everyTls = process.env["HTBIN_TEST_TLS"] === undefined
  ? {}
  : { tls: JSON.parse(process.env["HTBIN_TEST_TLS"]) as TlsOptions };

/** How URLs begin. */
export const scheme: "http" | "https" = "tls" in everyTls ? "https" : "http";

/** Listens on a free port of 127.0.0.1, unless the options say otherwise, until `use` is done. */
export async function serving(
  handler: Handler,
  use: (serving: Serving) => Promise<void>,
  options: Partial<ListenOptions> = {},
): Promise<void> {
  const errors: unknown[] = [];
  const failed = promised<unknown>();
  const all: ListenOptions = {
    hostname: "127.0.0.1",
    port: 0,
    onError(error) {
      errors.push(error);
      failed.resolve(error);
    },
    ...everyTls,
    ...options,
  };
  const listener = await runtime.network.listen(handler, all);
  const target = { ...listener.address, ...(all.tls && { secure: true }) };
  try {
    await use({ target, listener, errors, failed: failed.promise });
  } finally {
    await listener.close(0);
  }
}

/** A promise and what settles it. */
export interface Promised<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** `Promise.withResolvers()`, which Node 20 lacks. */
export function promised<T>(): Promised<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

/** Rejects when the promise takes longer than this many milliseconds. */
export async function within<T>(promise: Promise<T>, what: string, timeout = 10_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`${what}: nothing after ${timeout} ms`)), timeout);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
