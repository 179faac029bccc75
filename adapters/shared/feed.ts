/**
 * Carries a request body into a program, at the program's pace.
 *
 * @module
 */

import { type ByteFlow, flowOf, type Transfer } from "../../src/byte_flow.ts";
import type { Bytes } from "../../src/runtime.ts";

/** The writing end of a pipe. */
export interface PipeInput {
  /** Fails when nobody reads any more, at the latest the next time. A promise: no more until it has settled. */
  write(chunk: Uint8Array): Promise<unknown> | undefined;
  /** As `ByteSink.move()`. Fails as `write()` does. */
  move?(transfer: Transfer): number | Promise<unknown>;
  /** End of input, after what was written. A promise, where that is still on its way. */
  close(): unknown;
  /** Gives up, with what is still on its way. */
  abort(): unknown;
}

/**
 * Writes `source` into `input` and closes it. Never fails: a program that does not read its input is no error, and one
 * whose client left just sees the end. Whichever way it ends, the source is read to its end or cancelled.
 */
export function feed(
  source: ReadableStream<Uint8Array>,
  input: PipeInput,
  ended: Promise<unknown>,
): void {
  const flow = flowOf(source) ?? flowFrom(source);
  let state: "open" | "closing" | "over" = "open";
  async function close(): Promise<void> {
    if (state !== "open") return;
    state = "closing";
    await quietly(() => input.close());
    state = "over";
  }
  function fail(): void {
    if (state !== "open") return;
    flow.cancel();
    void close();
  }
  ended.then(() => {
    if (state === "over") return;
    if (state === "open") flow.cancel();
    state = "over";
    // Somebody the program started may hold the other end without reading it.
    void quietly(() => input.abort());
  });
  flow.start({
    write(piece) {
      if (state !== "open" || piece.length === 0) return undefined;
      try {
        return input.write(piece)?.catch(fail);
      } catch {
        fail();
        return undefined;
      }
    },
    ...(input.move !== undefined && { move }),
    end: () => void close(),
  });
  function move(transfer: Transfer): number | Promise<unknown> {
    if (state !== "open") return 0;
    try {
      const moved = input.move!(transfer);
      return typeof moved === "number" ? moved : moved.catch(fail);
    } catch {
      fail();
      return 0;
    }
  }
}

/** Reads a stream. */
function flowFrom(stream: ReadableStream<Uint8Array>): ByteFlow {
  const reader = stream.getReader();
  let isOver = false;
  return {
    async start(sink) {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (isOver) return;
          if (done) break;
          const taking = sink.write(value as Bytes);
          if (taking !== undefined) await taking;
        }
        sink.end();
      } catch (error) {
        if (!isOver) sink.end(error as Error);
      }
    },
    cancel() {
      isOver = true;
      reader.cancel().catch(() => {});
    },
  };
}

/** What a stream's end has to say of a pipe that is gone is no news. */
async function quietly(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch {
    // As said above.
  }
}
