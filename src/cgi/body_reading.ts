/**
 * Reading a request's body: in time, soon, or piece by piece on its way to a script.
 *
 * @module
 */

import { type ByteFlow, type ByteSink, clearFlow, setFlow, type Transfer } from "../byte_flow.ts";
import type { Bytes } from "../runtime.ts";
import { within } from "./time_limit.ts";

/** Reads a body. */
export type BodyReader = ReadableStreamDefaultReader<Bytes>;

type Read = ReadableStreamReadResult<Bytes>;

/** A body that is not taken. */
export interface BodyRefusal {
  readonly kind: "refused";
  readonly status: 400 | 408 | 411 | 413 | 501 | 503;
  /** For the log. */
  readonly reason: string;
}

/** What happens while a body is handed over. */
export interface BodyEvents {
  /** Bytes have moved. */
  progress(): void;
  /** The body broke off, or ended before its length: the client has left. The script must not take it for whole. */
  broken(reason: string): void;
  /** It is larger than allowed. */
  tooLarge(): void;
}

/** How long a small body is waited for, in milliseconds. */
const SMALL_BODY_WAIT = 10;

/** What of a request's body has been read. */
export interface Collected {
  readonly bytes: Bytes[];
  size: number;
}

/** One read, or why there is none: the client is silent for too long, or has left. */
export async function readInTime(reader: BodyReader, limitMs: number): Promise<Read | BodyRefusal> {
  try {
    return await within(reader.read(), limitMs) ?? refuseBody(408, "a request body that stopped coming");
  } catch (error) {
    return refuseBody(400, `a request body that broke off: ${(error as Error).message}`);
  }
}

/** Collects `length` bytes if they come soon. If not, returns the read that is still waiting. */
export async function collectSoon(
  reader: BodyReader,
  collected: Collected,
  length: number,
): Promise<{ readonly pending: Promise<Read> } | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => timer = setTimeout(resolve, SMALL_BODY_WAIT, null));
  try {
    while (collected.size < length) {
      const pending = reader.read();
      // It may fail while nobody waits for it; whoever reads it next is told.
      pending.catch(() => {});
      const read = await Promise.race([pending, late]);
      if (read === null) return { pending };
      if (read.done) break;
      collected.bytes.push(read.value);
      collected.size += read.value.length;
    }
  } catch {
    // The client has left: what was collected is too short, and says so.
  } finally {
    clearTimeout(timer);
  }
  return null;
}

/** How a body is counted. */
export interface Metered {
  /** What the client said. */
  readonly length: number | null;
  readonly limit: number;
  readonly events: BodyEvents;
  /** Read before. */
  readonly collected?: Collected;
  /** Being read. */
  readonly pending?: Promise<Read>;
}

/** The rest of a body, counted on its way. `flow`: how to have it without reading it, if nothing was read yet. */
export function meteredStream(reader: BodyReader, options: Metered, flow?: ByteFlow): ReadableStream<Bytes> {
  const { length, limit, events, collected } = options;
  let pending = options.pending;
  let passed = collected?.size ?? 0;
  let dropped = false;
  const first = collected?.bytes ?? [];

  /** Whether so many bytes more may pass. */
  function count(size: number): boolean {
    events.progress();
    passed += size;
    if (passed <= limit) return true;
    events.tooLarge();
    cancelBody(reader);
    return false;
  }
  /** What keeps the body from being whole, once it has ended. */
  function fault(error?: Error): string | null {
    if (error !== undefined) return `a request body that broke off: ${error.message}`;
    return length === null || passed >= length
      ? null
      : `a request body of ${passed} bytes, which said ${length}`;
  }
  /** Whether it may end. */
  function end(error?: Error): boolean {
    const reason = fault(error);
    if (reason !== null) events.broken(reason);
    return reason === null;
  }
  async function pull(controller: ReadableStreamDefaultController<Bytes>): Promise<void> {
    clearFlow(stream);
    if (first.length > 0) return controller.enqueue(first.shift()!);
    const read = await next();
    if (dropped) return;
    if (read === null) return controller.error(new Error("request body broke off"));
    if (read.done) return controller.close();
    controller.enqueue(read.value);
  }
  async function next(): Promise<Read | null> {
    let read: Read;
    try {
      read = await (pending ?? reader.read());
      pending = undefined;
    } catch (error) {
      if (!dropped) end(error as Error);
      return null;
    }
    // The script wants no more: what was being read ends here, and that is no fault of the client.
    if (dropped) return null;
    return (read.done ? end() : count(read.value.length)) ? read : null;
  }
  function move(sink: ByteSink, transfer: Transfer): number | Promise<unknown> {
    const moved = sink.move!(transfer);
    if (typeof moved === "number" && moved > 0) count(moved);
    return moved;
  }
  function drop(): void {
    dropped = true;
    cancelBody(reader);
  }
  const stream = new ReadableStream<Bytes>({ pull, cancel: drop }, { highWaterMark: 0 });
  if (flow !== undefined) {
    setFlow(stream, {
      start(sink) {
        flow.start({
          write: (piece) =>
            count(piece.length) ? sink.write(piece) : void sink.end(new Error("request body too large")),
          // Only where the length is known, and was looked at before.
          ...(limit === Infinity && sink.move !== undefined && { move: (transfer) => move(sink, transfer) }),
          end: (error) => sink.end(end(error) ? undefined : new Error("request body broke off")),
        });
      },
      cancel: flow.cancel,
    });
  }
  return stream;
}

/** Wants no more of a body. */
export function cancelBody(reader: BodyReader): void {
  reader.cancel().catch(() => {});
}

/** The pieces as one. */
export function concat(pieces: readonly Bytes[]): Bytes {
  if (pieces.length === 1) return pieces[0]!;
  const whole: Bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A refusal. */
export function refuseBody(status: BodyRefusal["status"], reason: string): BodyRefusal {
  return { kind: "refused", status, reason };
}

/** The refusal of a body over its limit. */
export function refuseLargeBody(limit: number): BodyRefusal {
  return refuseBody(413, `a request body of more than ${limit} bytes`);
}
