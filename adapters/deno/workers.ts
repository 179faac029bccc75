/**
 * Several threads on one port, on Deno: they have the permissions of the program, which processes would not.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { FileError } from "../../src/runtime.ts";
import type { ExitStatus, Worker as Started, Workers } from "../../src/runtime.ts";
import { isGranted } from "./permissions.ts";
import type { Post } from "./thread.ts";

/** `Runtime.workers` by threads. */
export const workers: Workers = { start };

let threads = 0;

/** Deno reads the program and what it imports once more for a thread, and only prints it when it may not. */
function demandProgram(): void {
  if (!Deno.mainModule.startsWith("file:")) return;
  const path = dirname(fileURLToPath(Deno.mainModule));
  if (isGranted({ name: "read", path })) return;
  throw new FileError("denied", `Cannot start workers: Deno was not started with --allow-read=${path}`);
}

function start(): Started {
  demandProgram();
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
