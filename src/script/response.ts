/**
 * A response as CGI output (RFC 3875 section 6), or as HTTP (section 5).
 *
 * @module
 */

import { ClosedOutputError } from "../runtime.ts";
import { responseHead } from "./response_head.ts";

/** How a response is written. */
export interface WriteOptions {
  /** The method of the request that it answers: for `HEAD` no body is written. Default: `GET`. */
  readonly method?: string;
  /**
   * Write a whole HTTP response, as a server expects it of a script whose name begins with `nph-`. Default: `false`.
   */
  readonly nph?: boolean;
}

/** What else is known when a whole request is answered. */
export interface SendOptions extends WriteOptions {
  /** Say that the connection ends with this response. Default: as `nph`. */
  readonly closes?: boolean;
  /** Changes a field's value on its way out. */
  readonly publish?: (name: string, value: string) => string;
  /** Aborted when nobody wants the rest. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a response as the output of a CGI script: `Status`, the header, the body piece by piece as it comes, each once
 * the one before has been taken. `out` stays open.
 *
 * Rejects with what the body or `out` fails with, and with a `TypeError` when this is no response or its body is not as
 * long as its `Content-Length` says; the response's body is cancelled then. A body that fails before its first byte has left nothing behind in `out`.
 *
 * @example
 * ```ts
 * import { type WriteOptions, writeResponse } from "htbin/cgi-script";
 *
 * const { readable, writable } = new TextDecoderStream();
 * const text = readable.getReader().read();
 * const options: WriteOptions = { method: "POST" };
 * const out = new WritableStream({ write: (bytes) => writable.getWriter().write(bytes) });
 * await writeResponse(new Response("Hello", { status: 201 }), out, options);
 * console.assert((await text).value?.startsWith("Status: 201 Created\r\n"));
 * ```
 */
export async function writeResponse(
  response: Response,
  out: WritableStream<Uint8Array>,
  options: WriteOptions = {},
): Promise<void> {
  const writer = out.getWriter();
  try {
    await sendResponse(response, (bytes) => writer.write(bytes), options);
  } finally {
    writer.releaseLock();
  }
}

/** Statuses whose responses never have a body (RFC 9110 section 6.4.1). */
const BODILESS: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/** Writes a response with `write`, one call at a time. */
export async function sendResponse(
  response: Response,
  write: (bytes: Uint8Array) => Promise<void>,
  options: SendOptions = {},
): Promise<void> {
  const isBodiless = options.method === "HEAD" || BODILESS.has(response.status);
  if (response.body === null || isBodiless) {
    const head = responseHead(response, null, options);
    response.body?.cancel().catch(() => {});
    return await write(head);
  }
  const pieces = readPieces(response.body, declaredLength(response), options.signal);
  try {
    await writePieces(response, pieces.next, write, options);
  } catch (error) {
    pieces.cancel(error);
    throw error;
  }
}

async function writePieces(
  response: Response,
  next: () => Promise<Uint8Array | null>,
  write: (bytes: Uint8Array) => Promise<void>,
  options: SendOptions,
): Promise<void> {
  const first = next();
  let piece = await inThisTurn(first);
  if (piece === LATE) {
    // The head does not wait for a body that begins later.
    await write(responseHead(response, null, options));
    piece = await first;
    if (piece === null) return;
    await write(piece);
  } else {
    const body = piece ?? new Uint8Array();
    const second = piece === null ? first : next();
    const isWhole = await inThisTurn(second) === null;
    await write(concat(responseHead(response, isWhole ? body.length : null, options), body));
    piece = await second;
    if (piece === null) return;
    await write(piece);
  }
  for (piece = await next(); piece !== null; piece = await next()) await write(piece);
}

/** A body, piece by piece. */
interface Pieces {
  /** The next one that is not empty; `null` after the last. */
  next(): Promise<Uint8Array | null>;
  cancel(reason: unknown): void;
}

/** What the response itself says. */
function declaredLength({ headers }: Response): number | null {
  const length = headers.get("content-length");
  return length === null ? null : Number(length);
}

/**
 * A server would take what is too much for its next response, and wait for what is missing: a body of another length than
 * was declared is an error. So is one that `fetch()` has decompressed, with the header it came with.
 */
function readPieces(
  body: ReadableStream<Uint8Array>,
  length: number | null,
  signal: AbortSignal | undefined,
): Pieces {
  const reader = body.getReader();
  let size = 0;
  const cancel = (reason: unknown) => void reader.cancel(reason).catch(() => {});
  const gone = () => cancel(signal?.reason);
  signal?.addEventListener("abort", gone, { once: true });
  return {
    async next() {
      for (;;) {
        const { done, value } = await reader.read();
        if (signal?.aborted) {
          throw new ClosedOutputError("Nobody wants the response", { cause: signal.reason });
        }
        if (done ? size < (length ?? 0) : size + value.length > (length ?? Infinity)) {
          throw new TypeError(`The body is not of the length that its Content-Length says, ${length}`);
        }
        if (done) return null;
        if (!(value instanceof Uint8Array)) {
          throw new TypeError("The body's stream gave something else than bytes");
        }
        size += value.length;
        if (value.length > 0) return value;
      }
    },
    cancel,
  };
}

const LATE: unique symbol = Symbol("late");

/** What the promise is fulfilled with, or `LATE` when that takes more than this turn of the event loop. */
async function inThisTurn<T>(promise: Promise<T>): Promise<T | typeof LATE> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const turn = new Promise<typeof LATE>((resolve) => timer = setTimeout(resolve, 0, LATE));
  try {
    return await Promise.race([promise, turn]);
  } finally {
    clearTimeout(timer);
  }
}

function concat(head: Uint8Array, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}
