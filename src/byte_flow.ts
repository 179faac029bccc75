/**
 * Bytes on their way without a stream: each piece is handed over by a direct call when it comes.
 *
 * A stream of the Web costs several promises for each piece, twice over where one is made from another. So who makes a
 * stream may say how to have its bytes without reading it ({@linkcode setFlow}), and who wants them may ask for that
 * ({@linkcode flowOf}); everybody else reads the stream.
 *
 * @module
 */

import type { Bytes } from "./runtime.ts";

/**
 * Has the system move bytes to an open descriptor, as many as it takes without waiting. Returns how many; -1: there is no
 * room for any.
 */
export type Transfer = (descriptor: number) => number;

/** Takes bytes. */
export interface ByteSink {
  /** A promise, which never rejects: no more until it has resolved. What goes wrong is told by cancelling the flow. */
  write(piece: Bytes): Promise<unknown> | undefined;
  /**
   * What comes after all that was written does not have to come by the memory of this process. Returns how many bytes went
   * there; 0: none now, `write()` the next ones; a promise: as of `write()`. Absent: none ever.
   */
  move?(transfer: Transfer): number | Promise<unknown>;
  /** No more comes. `error`: because it broke off. */
  end(error?: Error): void;
}

/** Bytes that come by themselves. */
export interface ByteFlow {
  /** Lets them come: once, in place of reading the stream. */
  start(sink: ByteSink): void;
  /** Wants no more: the sink is not called again. Harmless at any time. */
  cancel(): void;
}

const flows = new WeakMap<ReadableStream, ByteFlow>();

/** Says how the bytes of a stream can be had without reading it. */
export function setFlow(stream: ReadableStream, flow: ByteFlow): void {
  flows.set(stream, flow);
}

/** The stream is being read: now that is the only way. */
export function clearFlow(stream: ReadableStream): void {
  flows.delete(stream);
}

/** How the bytes of a stream can be had without reading it; `undefined` where it has to be read. */
export function flowOf(stream: ReadableStream): ByteFlow | undefined {
  return flows.get(stream);
}
