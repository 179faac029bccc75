/**
 * The body of a request of `node:http`: read when it is wanted, discarded when it is
 * not.
 *
 * @module
 */

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type ByteFlow, type ByteSink, clearFlow, setFlow, type Transfer } from "../../../src/byte_flow.ts";
import type { Bytes } from "../../../src/runtime.ts";
import { isCut, stopReading, streamOf } from "./http2.ts";
import { linger } from "./linger.ts";
import { passedBody } from "./pass_bodies.ts";

/**
 * Read-ahead while the consumer is slower than the client, in bytes. Below it
 * the socket is not paused for every single piece.
 */
const READ_AHEAD = 256 * 1024;

/** Up to this many unwanted bytes are read so that the connection can be used again. */
const KEEP_ALIVE_LIMIT = 1024 * 1024;

/** A request's body. */
export interface RequestBody {
  /** `null` where the head announces none, or the method has none for `Request`. */
  readonly stream: ReadableStream<Bytes> | null;
  /** Whether nobody reads it, and so much of it is known to be left that the connection will be closed over it. */
  isTooMuch(): boolean;
  /** The client is gone: what it has not sent will not come. */
  abandon(): void;
  /**
   * The response is about to end: gets rid of a body that nobody reads. Who has
   * begun to read may go on.
   */
  release(): void;
}

/** Prepares the body; `onRead` is called when it is first asked for, `onLeave` when it turns out to have no end. */
export function requestBody(
  incoming: IncomingMessage,
  onRead: () => void,
  onLeave: () => void,
): RequestBody {
  const { method, headers } = incoming;
  const announced = headers["transfer-encoding"] !== undefined ||
    Number(headers["content-length"] ?? 0) > 0;
  if (!announced) return NO_BODY;
  let received = 0;
  const isTooMuch = () => Number(headers["content-length"] ?? 0) - received > KEEP_ALIVE_LIMIT;
  if (method === "GET" || method === "HEAD") {
    return { stream: null, isTooMuch, abandon() {}, release: () => discard(incoming) };
  }
  let state: "unread" | "reading" | "over" = "unread";
  let released = false;
  let abandoned = false;
  let forget = () => {};
  let fail = () => {};
  function start(sink: ByteSink): void {
    const { socket } = incoming;
    const stream = streamOf(incoming);
    state = "reading";
    onRead();
    function settle(error?: Error): void {
      if (state === "over") return;
      state = "over";
      forget();
      sink.end(error);
    }
    fail = () => {
      // Who fails because of this has to see that nobody waits for an answer.
      if (state !== "over") onLeave();
      settle(new Error("The client left before its request was complete"));
    };
    const passed = passedBody(incoming);
    const mover = sink.move === undefined ? undefined : passed;
    function take(transfer: Transfer): number | Promise<unknown> {
      const moved = state === "over" ? 0 : sink.move!(transfer);
      if (typeof moved === "number") received += moved;
      return moved;
    }
    incoming.on("data", (piece: Buffer) => {
      received += piece.length;
      if (state === "over") return;
      const taking = sink.write(plain(piece)) ?? mover?.move(take);
      if (taking === undefined) return;
      incoming.pause();
      // What comes meanwhile is not to be read, if it can be moved then.
      if (mover !== undefined) socket.pause();
      goOnAfter(taking);
    });
    function goOnAfter(taking: Promise<unknown>): void {
      const stopWatching = passed?.watch();
      taking.then(() => {
        stopWatching?.();
        const next = state === "reading" ? mover?.move(take) : undefined;
        if (next !== undefined) return goOnAfter(next);
        if (state === "reading") incoming.resume();
        // A message that is waiting for bytes already does not ask for them again.
        if (mover !== undefined) socket.resume();
      });
    }
    incoming.on("end", () => stream !== null && isCut(stream) ? fail() : settle());
    incoming.on("error", fail);
    // Once the response has been sent, Node does not tell the message any more that its connection has closed.
    socket.on("close", fail);
    forget = () => socket.off("close", fail);
    if (abandoned || incoming.destroyed || socket.destroyed) fail();
  }
  function cancel(): void {
    if (state === "over") return;
    state = "over";
    forget();
    if (released) discard(incoming);
    else incoming.pause();
  }
  const stream = streamFrom({ start, cancel });
  return {
    stream,
    isTooMuch: () => state !== "reading" && isTooMuch(),
    abandon() {
      if (abandoned || incoming.complete) return;
      abandoned = true;
      fail();
    },
    release() {
      released = true;
      if (state !== "reading") discard(incoming);
    },
  };
}

const NO_BODY: RequestBody = { stream: null, isTooMuch: () => false, abandon() {}, release() {} };

/** The stream of a flow, and the flow of that stream. */
function streamFrom(flow: ByteFlow): ReadableStream<Bytes> {
  let isStarted = false;
  let resume = () => {};
  function start(controller: ReadableStreamDefaultController<Bytes>): void {
    isStarted = true;
    clearFlow(stream);
    flow.start({
      write(piece) {
        controller.enqueue(piece);
        if (controller.desiredSize! > -READ_AHEAD) return undefined;
        return new Promise<void>((resolve) => resume = resolve);
      },
      end: (error) => error === undefined ? controller.close() : controller.error(error),
    });
  }
  const stream = new ReadableStream<Bytes>({
    pull: (controller) => isStarted ? resume() : start(controller),
    cancel: flow.cancel,
  }, new ByteLengthQueuingStrategy({ highWaterMark: 0 }));
  setFlow(stream, flow);
  return stream;
}

/** A plain view: a Buffer's `slice()` and `toString()` are not those of a `Uint8Array`. */
function plain({ buffer, byteOffset, length }: Buffer): Bytes {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, length);
}

/** Reads what is left and forgets it; closes the connection when that is too much. */
function discard(incoming: IncomingMessage): void {
  if (incoming.complete || incoming.destroyed) return void incoming.resume();
  const stream = streamOf(incoming);
  if (stream !== null) return stopReading(stream);
  const { socket } = incoming;
  let discarded = 0;
  let isClosing = false;
  function close(): void {
    if (!isClosing) linger(socket);
    isClosing = true;
  }
  function end(): void {
    socket.off("close", end);
    delete (socket as Partial<Pick<Socket, "destroySoon">>).destroySoon;
    if (isClosing) socket.destroy();
  }
  // What node:http closes a connection with after its last response.
  socket.destroySoon = close;
  incoming.on("data", (piece: Buffer) => {
    discarded += piece.length;
    if (discarded > KEEP_ALIVE_LIMIT) close();
  });
  incoming.on("end", end);
  socket.on("close", end);
  incoming.resume();
}
