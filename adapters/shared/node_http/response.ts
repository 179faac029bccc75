/**
 * A `Response` sent through Node's `ServerResponse`.
 *
 * @module
 */

import type { ServerResponse } from "node:http";
import { bodySource, type FileSpan } from "../../../src/response.ts";

/** How much of a file is read at once, in bytes. */
const FILE_PIECE = 512 * 1024;

/** A response on its way to the client. */
export interface Delivery {
  /** Lets go of the body, because the client left. Harmless afterwards. */
  cancel(): void;
}

/** What a delivery is told and asked. */
export interface DeliveryOptions {
  readonly outgoing: ServerResponse;
  readonly response: Response;
  readonly isHead: boolean;
  /** Asked as late as possible: whether the connection has to be closed afterwards. */
  readonly mustClose: () => boolean;
  /** Called right before the response is ended. */
  readonly onEnding: () => void;
  /** Called when the body has failed, or is shorter than the head said. The connection is to be broken. */
  readonly onBroken: (error: unknown) => void;
}

/** Sends the response. Never throws. */
export function deliver(options: DeliveryOptions): Delivery {
  const { response, isHead } = options;
  const source = bodySource(response);
  if (isHead || response.status === 204 || response.status === 304) {
    return sendHead(options, source);
  }
  if (source instanceof Uint8Array) return sendWhole(options, source);
  if (typeof source === "string") {
    return sendWhole(options, Buffer.from(source));
  }
  if (source !== null && source !== undefined && "file" in source) {
    return sendPieces(options, filePieces(source), source.length);
  }
  const body = source ?? response.body;
  return body === null ? sendWhole(options, EMPTY) : sendPieces(options, streamPieces(body), null);
}

const EMPTY = new Uint8Array();

/** A body in pieces, one at a time. */
interface Pieces {
  /** The next piece; `null` after the last. */
  next(): Promise<Uint8Array | null>;
  /** Releases what is behind it. Harmless when it is over. */
  cancel(): void;
}

function streamPieces(stream: ReadableStream<Uint8Array>): Pieces {
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      if (done) return null;
      if (value instanceof Uint8Array) return value;
      throw new TypeError("The body's stream gave something else than bytes");
    },
    cancel() {
      reader.cancel().catch(() => {});
    },
  };
}

function filePieces({ file, offset, length }: FileSpan): Pieces {
  let at = offset;
  const end = offset + length;
  return {
    async next() {
      if (at >= end) {
        await file.close();
        return null;
      }
      const piece = await file.read({
        offset: at,
        length: Math.min(FILE_PIECE, end - at),
      });
      at += piece.length;
      return piece;
    },
    cancel() {
      file.close().catch(() => {});
    },
  };
}

/** A response that has no body whatever the handler gave: to HEAD, 204, 304. */
function sendHead(
  options: DeliveryOptions,
  source: ReturnType<typeof bodySource>,
): Delivery {
  const { outgoing, response, isHead } = options;
  const known = isHead && response.headers.get("content-length") === null ? lengthOf(source) : null;
  writeHead(options, known);
  options.onEnding();
  outgoing.end();
  cancelBody(response);
  return OVER;
}

/** Lets go of a body that is not sent. */
export function cancelBody(response: Response): void {
  const source = bodySource(response);
  if (source instanceof Uint8Array || typeof source === "string") return;
  if (source && "file" in source) source.file.close().catch(() => {});
  else if (!response.bodyUsed) response.body?.cancel().catch(() => {});
}

function lengthOf(source: ReturnType<typeof bodySource>): number | null {
  if (typeof source === "string") return Buffer.byteLength(source);
  if (source instanceof Uint8Array) return source.length;
  // No body given to HEAD says nothing of how long the one to GET is.
  return source && "file" in source ? source.length : null;
}

const OVER: Delivery = { cancel() {} };

function sendWhole(options: DeliveryOptions, bytes: Uint8Array): Delivery {
  const { outgoing, response } = options;
  const declared = declaredLength(response);
  writeHead(options, declared === null ? bytes.length : null);
  if (declared !== null && declared > bytes.length) {
    outgoing.write(bytes);
    options.onBroken(tooShort(declared, bytes.length));
    return OVER;
  }
  const body = declared === null ? bytes : bytes.subarray(0, declared);
  options.onEnding();
  outgoing.end(body);
  return OVER;
}

/** Sends pieces as they come, each when the client has taken the one before. */
function sendPieces(
  options: DeliveryOptions,
  pieces: Pieces,
  length: number | null,
): Delivery {
  const { outgoing, response } = options;
  let cancelled = false;
  let wake = () => {};
  /** The next piece, asked for before it is needed. That it fails counts when its turn comes, or never once cancelled. */
  function ahead(): Promise<Uint8Array | null> {
    const next = pieces.next();
    next.catch(() => {});
    return next;
  }
  async function send(): Promise<void> {
    const declared = declaredLength(response) ?? length;
    const first = ahead();
    let next: Promise<Uint8Array | null>;
    let piece = await soon(first);
    if (piece === LATE) {
      if (cancelled) return;
      writeHead(options, length);
      outgoing.flushHeaders();
      piece = await first;
      next = piece === null ? first : ahead();
    } else if (piece === null) {
      return void (cancelled || sendWhole(options, EMPTY));
    } else {
      // Most streams are one piece: a whole response is one write, and has a length.
      next = ahead();
      if (await soon(next) === null) {
        return void (cancelled || sendWhole(options, piece));
      }
      if (cancelled) return;
      writeHead(options, length);
    }
    let left = declared ?? Infinity;
    while (piece !== null && !cancelled) {
      const excess = piece.length > left;
      const ready = outgoing.write(excess ? piece.subarray(0, left) : piece);
      left -= Math.min(piece.length, left);
      if (left === 0) break;
      if (!ready) {
        await new Promise<void>((resolve) => {
          outgoing.once("drain", resolve);
          wake = resolve;
        });
      }
      piece = await next;
      if (piece !== null) next = ahead();
    }
    if (cancelled) return;
    if (left > 0 && left !== Infinity) {
      throw tooShort(declared!, declared! - left);
    }
    options.onEnding();
    outgoing.end();
    // The client has all it was promised; more than that is nobody's.
    if (left === 0 && await next !== null) pieces.cancel();
  }
  send().catch((error) => {
    if (!cancelled) options.onBroken(error);
    pieces.cancel();
  });
  return {
    cancel() {
      if (cancelled) return;
      cancelled = true;
      pieces.cancel();
      wake();
    },
  };
}

const LATE = Symbol("late");

/** What the promise is settled with, or `LATE` when that takes more than the turn of the event loop. */
function soon<T>(promise: Promise<T>): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const immediate = setImmediate(resolve, LATE);
    promise.then((value) => {
      clearImmediate(immediate);
      resolve(value);
    }, reject);
  });
}

/** What the response's head says, or `null` when it says nothing (or nothing that is a length). */
function declaredLength({ headers }: Response): number | null {
  const value = headers.get("content-length");
  return value !== null && /^\d+$/.test(value) ? Number(value) : null;
}

function tooShort(declared: number, actual: number): Error {
  return new Error(
    `The body ended after ${actual} bytes where Content-Length was ${declared}`,
  );
}

/** Writes status line and headers; `length` is what the headers do not say. */
function writeHead(options: DeliveryOptions, length: number | null): void {
  const { outgoing, response } = options;
  const { status, statusText } = response;
  const fields: string[] = [];
  const bodiless = status === 204;
  let close = options.mustClose();
  for (const [name, value] of response.headers) {
    if (name === "transfer-encoding") continue;
    // Also what RFC 9110 section 8.6 forbids in a 204.
    if (name === "content-length") {
      if (bodiless || !/^\d+$/.test(value)) continue;
      length = null;
    }
    if (name === "connection" && close) continue;
    fields.push(name, value);
  }
  if (length !== null && !bodiless) {
    fields.push("content-length", String(length));
  }
  if (close) fields.push("connection", "close");
  if (statusText === "") outgoing.writeHead(status, fields);
  else outgoing.writeHead(status, statusText, fields);
}
