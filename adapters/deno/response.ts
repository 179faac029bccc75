/**
 * Responses made ready for `Deno.serve`.
 *
 * @module
 */

import { bodySource, type FileSpan } from "../../src/response.ts";
import type { Bytes } from "../../src/runtime.ts";
import { filePieces, LATE, type Pieces, soon, streamPieces } from "../shared/pieces.ts";
import { discardBody } from "./request_body.ts";

/** A response as Deno can send it. */
export interface Deliverable {
  readonly response: Response;
  /** Makes its body fail, so that the transfer is broken visibly. Does nothing to a body that is in memory. */
  breakOff(): void;
}

/** What a body fails with that was broken off: not news to anybody. */
export const BROKEN_OFF: Error = new Error("The server is closing");

/**
 * Gives the response the length that is known, and takes a wrong one from it. Deno itself cuts a stream that is longer
 * than its Content-Length, and closes the connection after one that is shorter.
 */
export async function deliverable(request: Request, response: Response): Promise<Deliverable> {
  const source = bodySource(response);
  const isHead = request.method === "HEAD";
  if (source === undefined ? response.body !== null : source instanceof ReadableStream) {
    return isHead ? inMemory(response) : await ofStream(response, response.body!);
  }
  // A stream may be about to read it. Nothing else is.
  discardBody(request);
  if (source === undefined || source === null) return inMemory(isHead ? ofUnknownLength(response) : response);
  if (typeof source === "string" || source instanceof Uint8Array) {
    return inMemory(isHead ? response : ofMemory(response, source));
  }
  return ofFile(response, source as FileSpan, isHead);
}

/** A response that never ends, and whose body fails at once. */
export function brokenResponse(): Response {
  return new Response(new ReadableStream({ start: (controller) => controller.error(BROKEN_OFF) }));
}

function inMemory(response: Response): Deliverable {
  return { response, breakOff() {} };
}

/** Deno says `Content-Length: 0` of no body at all; after HEAD that would be GET's length (RFC 9110 section 8.6). */
function ofUnknownLength(response: Response): Response {
  if (response.headers.has("content-length") || NO_BODY.includes(response.status)) return response;
  return new Response(new ReadableStream({ start: (controller) => controller.close() }), response);
}

/** What a `Response` refuses a body for. */
const NO_BODY: readonly number[] = [101, 204, 205, 304];

function ofMemory(response: Response, body: string | Bytes): Response {
  const declared = response.headers.get("content-length");
  if (declared === null) return response;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return Number(declared) === bytes.length ? response : withBody(response, ofLength(bytes));
}

/** As a stream, whose length Deno compares with what the head says. */
function ofLength(bytes: Bytes): ReadableStream<Bytes> {
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

function withBody(response: Response, body: Bytes | ReadableStream<Uint8Array> | null): Response {
  const { status, statusText, headers } = response;
  return new Response(body as BodyInit | null, { status, statusText, headers });
}

function ofFile(response: Response, span: FileSpan, isHead: boolean): Deliverable {
  const { status, statusText } = response;
  const headers = new Headers(response.headers);
  if (!headers.has("content-length")) headers.set("content-length", String(span.length));
  const head = new Response(null, { status, statusText, headers });
  if (!isHead && span.length > 0 && !NO_BODY.includes(status)) return ofPieces(head, filePieces(span));
  span.file.close().catch(() => {});
  return inMemory(head);
}

async function ofStream(response: Response, body: ReadableStream<Uint8Array>): Promise<Deliverable> {
  const pieces = streamPieces(body);
  const first = ahead(pieces);
  const piece = await atHand(first);
  if (piece === LATE) return ofPieces(response, pieces, [first]);
  const second = piece === null ? first : ahead(pieces);
  if (await atHand(second) !== null) return ofPieces(response, pieces, [first, second]);
  // Most bodies are one piece: sent as such they have a length.
  const whole = (piece ?? new Uint8Array()) as Bytes;
  const declared = response.headers.get("content-length");
  const isOfLength = declared === null || Number(declared) === whole.length;
  return inMemory(withBody(response, isOfLength ? whole : ofLength(whole)));
}

function ahead(pieces: Pieces): Promise<Uint8Array | null> {
  const next = pieces.next();
  // That it fails counts when its turn comes.
  next.catch(() => {});
  return next;
}

function atHand<T>(promise: Promise<T>): Promise<T | typeof LATE> {
  return soon(promise).catch(() => LATE);
}

/** A body in pieces; some of them were `asked` for already. */
function ofPieces(
  response: Response,
  pieces: Pieces,
  asked: Promise<Uint8Array | null>[] = [],
): Deliverable {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let isOver = false;
  const stream = new ReadableStream<Uint8Array>({
    start(its) {
      controller = its;
    },
    async pull() {
      try {
        const piece = await (asked.shift() ?? pieces.next());
        if (isOver) return;
        if (piece !== null) return controller.enqueue(piece);
        isOver = true;
        controller.close();
      } catch (error) {
        if (isOver) return;
        isOver = true;
        pieces.cancel();
        controller.error(error);
      }
    },
    cancel: end,
  }, { highWaterMark: 0 });
  function end(): void {
    isOver = true;
    pieces.cancel();
  }
  return {
    response: withBody(response, stream),
    breakOff() {
      if (isOver) return;
      end();
      controller.error(BROKEN_OFF);
    },
  };
}
