/**
 * A `Response` sent through Node's `ServerResponse`.
 *
 * @module
 */

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { bodySource } from "../../../src/response.ts";
import type { FileTransfer } from "../../../src/runtime.ts";
import { filePieces, LATE, type Pieces, soon, streamPieces } from "../pieces.ts";
import { createShare, type Share } from "../turns.ts";
import { hasSentAll, type SendNow, sendPiece } from "./send_now.ts";

/** A response on its way to the client. */
export interface Delivery {
  /** Lets go of the body, because the client left. Harmless afterwards. */
  cancel(): void;
}

/**
 * How to have the system send parts of open files over a connection, as much as fits in without waiting; `null` where it
 * cannot. Whoever writes to the connection is told why nothing fits in, or waits until it does.
 */
export type SendFile = (socket: Socket) => FileTransfer | null;

/** What a delivery is told and asked. */
export interface DeliveryOptions {
  readonly outgoing: ServerResponse;
  readonly response: Response;
  readonly isHead: boolean;
  /** `null` where the system cannot. */
  readonly sendFile: SendFile | null;
  /** `null` where the runtime alone can. */
  readonly sendNow: SendNow | null;
  /** Asked as late as possible: whether the connection has to be closed afterwards. */
  readonly mustClose: () => boolean;
  /** Counts the bytes of the body that were written. */
  readonly tally: { bytes: number };
  /** Called right before the response is ended. */
  readonly onEnding: () => void;
  /**
   * Called when the body has failed, or is shorter than the head said. The connection is to be broken; `untilClose` if
   * nothing else tells the client where the body ends.
   */
  readonly onBroken: (error: unknown, untilClose: boolean) => void;
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
    return sendPieces(options, filePieces(source), source.length, sendKnown);
  }
  // Of a response that was copied, the stream that it was made of has a reader: it has another one now.
  const body = source instanceof ReadableStream && !source.locked ? source : response.body;
  return body === null
    ? sendWhole(options, EMPTY)
    : sendPieces(options, streamPieces(body), null, sendAsItComes);
}

const EMPTY = new Uint8Array();

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

/** What a socket takes at once from a server that has nothing else to send, in bytes. */
const ONE_WRITE = 64 * 1024;

function isOneWrite({ response }: DeliveryOptions, bytes: Uint8Array): boolean {
  return bytes.length <= ONE_WRITE && (declaredLength(response) ?? 0) <= bytes.length;
}

function sendAtOnce(options: DeliveryOptions, bytes: Uint8Array): void {
  const { outgoing, response } = options;
  const declared = declaredLength(response);
  writeHead(options, bytes.length);
  options.onEnding();
  const body = declared === null ? bytes : bytes.subarray(0, declared);
  options.tally.bytes += body.length;
  outgoing.end(body);
}

function sendWhole(options: DeliveryOptions, bytes: Uint8Array): Delivery {
  if (isOneWrite(options, bytes)) {
    sendAtOnce(options, bytes);
    return OVER;
  }
  return sendPieces(options, NO_MORE, bytes.length, (options, sending) => {
    writeHead(options, bytes.length);
    return sendRest(options, sending, bytes);
  });
}

const NO_MORE: Pieces = { next: () => Promise.resolve(null), cancel() {} };

interface Sending {
  readonly pieces: Pieces;
  readonly length: number | null;
  isCancelled: boolean;
  /** Ends the wait for the client. */
  wake(): void;
}

/** Sends pieces, each when the client has taken the one before. `length` is theirs, where it is known. */
function sendPieces(
  options: DeliveryOptions,
  pieces: Pieces,
  length: number | null,
  send: (options: DeliveryOptions, sending: Sending) => Promise<void>,
): Delivery {
  const sending: Sending = { pieces, length, isCancelled: false, wake() {} };
  send(options, sending).catch((error) => {
    if (!sending.isCancelled) {
      options.onBroken(error, options.outgoing.headersSent && endsWithConnection(options, sending));
    }
    pieces.cancel();
  });
  return {
    cancel() {
      if (sending.isCancelled) return;
      sending.isCancelled = true;
      pieces.cancel();
      sending.wake();
    },
  };
}

/** Sends pieces whose length is known, none of which is long in coming. */
async function sendKnown(options: DeliveryOptions, sending: Sending): Promise<void> {
  const first = await sending.pieces.next();
  if (sending.isCancelled) return;
  writeHead(options, sending.length);
  await sendRest(options, sending, first);
}

async function sendAsItComes(options: DeliveryOptions, sending: Sending): Promise<void> {
  const { outgoing } = options;
  const first = ahead(sending.pieces);
  let piece = await soon(first);
  if (piece === LATE) piece = await inThisTurn(first);
  if (sending.isCancelled) return;
  if (piece === LATE) {
    // The body may be long in coming: the client can have the head.
    writeHead(options, sending.length);
    outgoing.flushHeaders();
    return await sendRest(options, sending, await first);
  }
  piece ??= EMPTY;
  const second = piece === EMPTY ? first : ahead(sending.pieces);
  const isWhole = await soon(second).catch((error) => {
    // Data and a reset that arrive together look like a proper end to some clients (libuv).
    if (endsWithConnection(options, sending)) throw error;
    // Told when its turn comes: the client has what there was before, and a transfer that broke off.
    return LATE;
  }) === null;
  if (sending.isCancelled) return;
  // Most streams are one piece: a whole response is one write, and has a length.
  if (isWhole && isOneWrite(options, piece)) return sendAtOnce(options, piece);
  writeHead(options, isWhole ? piece.length : sending.length);
  await sendRest(options, sending, piece, second);
}

/** Whether the end of the connection is the end of the body, as in HTTP/1.0 (RFC 9112 section 6.3). */
function endsWithConnection({ outgoing, response }: DeliveryOptions, { length }: Sending): boolean {
  return outgoing.req.httpVersion === "1.0" && length === null && declaredLength(response) === null;
}

/** Sends what is left, beginning with `piece`; `next` is what comes after it, when that was asked for already. */
async function sendRest(
  options: DeliveryOptions,
  sending: Sending,
  piece: Uint8Array | null,
  next: Promise<Uint8Array | null> | null = null,
): Promise<void> {
  const { outgoing, response } = options;
  const { pieces } = sending;
  const share = createShare();
  const declared = declaredLength(response) ?? sending.length;
  // As `node:http` has it: Bun does not say.
  const isChunked = declared === null && outgoing.req.httpVersion !== "1.0";
  // It brings the head along.
  let isFirst = true;
  let left = declared ?? Infinity;
  while (piece !== null && !sending.isCancelled) {
    const part = piece.length > left ? piece.subarray(0, left) : piece;
    const sent = isFirst ? null : sendPiece(outgoing, options.sendNow, part, isChunked);
    isFirst = false;
    const isFull = sent === null && !outgoing.write(part);
    left -= part.length;
    options.tally.bytes += part.length;
    // Also after the last one: a connection whose response has ended counts as idle, however much of it is on its way.
    if (isFull) await drain(outgoing, sending);
    else if (sent instanceof Promise) await sent;
    if (left === 0) break;
    const turn = share.spend(part.length);
    if (turn !== null) await turn;
    if (next === null && options.sendFile !== null && pieces.move !== undefined) {
      left -= await sendMoved(options, sending, share, left);
      if (sending.isCancelled) return;
    }
    // Once a full queue has drained, nothing that was written is needed any more. But Node and Deno say so too when a
    // response that has waited for its turn is given to the socket.
    const isFree = sent !== null || (isFull && outgoing.writableLength === 0);
    piece = (next === null ? pieces.nextNow?.(isFree) : null) ?? await (next ?? pieces.next(isFree));
    next = null;
  }
  if (sending.isCancelled) return;
  if (declared !== null && left > 0) throw tooShort(declared, declared - left);
  options.onEnding();
  outgoing.end();
  // The client has all it was promised. More than that is for nobody.
  if (await (next ?? pieces.next()) !== null) pieces.cancel();
}

/** Has the system send what comes next, for as long as it can, `most` bytes at most; says how many that were. */
async function sendMoved(
  { outgoing, sendFile, tally }: DeliveryOptions,
  sending: Sending,
  share: Share,
  most: number,
): Promise<number> {
  let total = 0;
  while (!sending.isCancelled && total < most) {
    // What was written before comes before.
    if (!hasSentAll(outgoing)) break;
    const transfer = sendFile!(outgoing.socket!);
    if (transfer === null) break;
    const moved = sending.pieces.move!((file, { offset, length }) =>
      transfer(file, { offset, length: Math.min(length, most - total) })
    );
    if (moved === 0) break;
    total += moved;
    tally.bytes += moved;
    const turn = share.spend(moved);
    if (turn !== null) await turn;
  }
  return total;
}

/** The first pieces may be waited for in more than one way. That one fails counts when its turn comes. */
function ahead(pieces: Pieces): Promise<Uint8Array | null> {
  const next = pieces.next();
  next.catch(() => {});
  return next;
}

function drain(outgoing: ServerResponse, sending: Sending): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once("drain", resolve);
    sending.wake = resolve;
  });
}

/** What the promise is fulfilled with, or `LATE` when that takes more than this turn of the event loop. */
function inThisTurn<T>(promise: Promise<T>): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const turn = setImmediate(resolve, LATE);
    promise.then((value) => {
      clearImmediate(turn);
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
  const close = options.mustClose();
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
