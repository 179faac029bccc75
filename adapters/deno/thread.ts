/**
 * The thread this code runs in on Deno, when it is not the first one.
 *
 * @module
 */

import type { Line } from "../../src/runtime.ts";

/** What goes between threads: a message, or the exit status of the thread that has ended. */
export type Post = { readonly message: unknown } | { readonly exit: number };

/** What a dedicated worker has beside the globals that all threads have. */
interface ThreadScope {
  postMessage(post: Post): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Post>) => void): void;
}

/** This thread, or `null` in a program's first one. */
export const thread: ThreadScope | null = "DedicatedWorkerGlobalScope" in globalThis
  ? globalThis as unknown as ThreadScope
  : null;

/** The line to the thread that started this one. */
export function starterLine(): Line | null {
  if (thread === null) return null;
  return {
    send: (message) => thread.postMessage({ message }),
    onMessage(callback) {
      thread.addEventListener("message", ({ data }) => {
        if ("message" in data) callback(data.message);
      });
    },
  };
}

/** Tells the starter: no event does. */
export function reportExit(exit: number): void {
  thread?.postMessage({ exit });
}
