/**
 * Several threads on one port, on Deno: they have the permissions of the program, which processes would not.
 *
 * @module
 */

import type { ExitStatus, Worker as Started, Workers } from "../../src/runtime.ts";
import type { Post } from "./thread.ts";

/** `Runtime.workers` by threads. */
export const workers: Workers = { start };

let threads = 0;

function start(): Started {
  const worker = new Worker(Deno.mainModule, { type: "module" });
  const post = (data: Post) => worker.postMessage(data);
  let end = (_status: ExitStatus): void => {};
  const exited = new Promise<ExitStatus>((resolve) => {
    end = resolve;
    worker.addEventListener("message", ({ data }: MessageEvent<Post>) => {
      if ("exit" in data) resolve({ code: data.exit, signal: null });
    });
    worker.addEventListener("error", (event) => {
      // Deno has printed the error; without this it would end the program too.
      event.preventDefault();
      worker.terminate();
      resolve({ code: 1, signal: null });
    });
  });
  return {
    id: ++threads,
    exited,
    send: (message) => post({ message }),
    onMessage(callback) {
      worker.addEventListener("message", ({ data }: MessageEvent<Post>) => {
        if ("message" in data) callback(data.message);
      });
    },
    kill() {
      worker.terminate();
      end({ code: null, signal: "SIGKILL" });
    },
  };
}
