/**
 * What a program writes, as a stream of the Web, on Node.
 *
 * `Readable.toWeb` reads ahead twice over and takes twice the time.
 *
 * @module
 */

import type { Readable } from "node:stream";
import type { Bytes } from "../../src/runtime.ts";

/** Reads one buffer ahead: a client that does not read stalls the program. */
export function pipeOutput(pipe: Readable): ReadableStream<Bytes> {
  let failure: Error | undefined;
  let over = false;
  let wake = () => {};
  // Not "data": once the program has ended, Node resumes its pipes, and would push past a client that does not read.
  pipe.on("readable", () => wake());
  pipe.on("error", (error) => failure = error);
  pipe.on("close", () => {
    over = true;
    wake();
  });
  pipe.on("end", () => {
    over = true;
    wake();
  });
  return new ReadableStream<Bytes>({
    async pull(controller) {
      for (;;) {
        const chunk: Buffer<ArrayBuffer> | null = pipe.read();
        if (chunk !== null) return controller.enqueue(bytesOf(chunk));
        if (failure !== undefined) throw failure;
        if (over) return controller.close();
        await new Promise<void>((resolve) => wake = resolve);
      }
    },
    cancel() {
      pipe.destroy();
      wake();
    },
  }, { highWaterMark: 0 });
}

// A Buffer's `slice` shares memory where a Uint8Array's copies.
function bytesOf(buffer: Buffer<ArrayBuffer>): Bytes {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
