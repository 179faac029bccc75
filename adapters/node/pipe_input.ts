/**
 * Standard input that is a pipe or a socket, on Node: read without a thread that would wait for it.
 *
 * @module
 */

import type { OnReadOpts, Socket, SocketConstructorOpts } from "node:net";
import type { Bytes } from "../../src/runtime.ts";
import { PIECE } from "../shared/limited_input.ts";

/** As `limitedInput()`: no more than `limit` bytes are read, each piece when it is asked for. */
export function pipeInput(limit: number | null): ReadableStream<Bytes> {
  let left = limit ?? Infinity;
  let socket: Socket | null = null;
  let controller: ReadableStreamDefaultController<Bytes>;
  let taken = () => {};
  let isOver = false;

  const nextBuffer = (): Bytes => new Uint8Array(Math.max(1, Math.min(PIECE, left)));
  function end(finish: () => void): void {
    if (isOver) return;
    isOver = true;
    finish();
    taken();
  }
  /** Returns `false`: no more until the next piece is asked for. */
  function take(length: number, buffer: Uint8Array): boolean {
    if (isOver) return false;
    left -= length;
    controller.enqueue((buffer as Bytes).subarray(0, length));
    if (left === 0) end(() => controller.close());
    taken();
    return false;
  }
  async function open(): Promise<Socket> {
    // Not loaded for requests without a body.
    const { Socket } = await import("node:net");
    // The types of Node 20 have `onread` for connections alone.
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
      fd: 0,
      readable: true,
      writable: false,
      onread: { buffer: nextBuffer, callback: take },
    };
    const opened = new Socket(options);
    opened.on("end", () => end(() => controller.close()));
    opened.on("error", (error) => end(() => controller.error(error)));
    return opened;
  }
  return new ReadableStream({
    start(made) {
      controller = made;
      if (left === 0) end(() => made.close());
    },
    async pull() {
      const piece = new Promise<void>((resolve) => taken = resolve);
      if (socket === null) socket = await open();
      else socket.resume();
      await piece;
    },
    cancel() {
      isOver = true;
      socket?.pause();
    },
  }, { highWaterMark: 0 });
}
