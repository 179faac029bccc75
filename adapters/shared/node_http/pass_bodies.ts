/**
 * Request bodies of known length, past the parser of `node:http`.
 *
 * The parser tells that a body has begun and how long it is, and its end is the parser's affair as ever. In between it
 * would copy each piece, in memory that is cleared for that, and find nothing in it. So a piece that is of the body alone,
 * and not its last, is handed on as it came. The parser gets it all the same, with nobody to tell of it: it only counts.
 *
 * Where the bytes are wanted by something that has a descriptor, such as a script's pipe, and the system can move them
 * there by itself, what has come meanwhile is not read at all: the parser is told how much that was.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { clearInterval, setInterval } from "node:timers";
import type { Transfer } from "../../../src/byte_flow.ts";
import { bringsLess, moveToPipe, type SystemCalls } from "./system_calls.ts";

/** Bodies up to this size are the parser's alone, in bytes. */
const SMALL = 65_536;

/** So many times in a row at most: others have their turn then. */
const MOVES = 16;

type OnBody = (piece: Buffer) => unknown;

/** A connection's parser: whom it tells of what is in properties with numbers. */
interface Parser {
  readonly socket?: Socket | null;
  execute(bytes: Buffer): unknown;
  [event: number]: OnBody | null | undefined;
}

/** Takes bytes from where they came to; a promise, when there is no room for them now. */
type Take = (transfer: Transfer) => number | Promise<unknown>;

/** What can be done with a body besides reading it. */
export interface PassedBody {
  /**
   * Once all that was read of it has been handed over: has what has come meanwhile moved to who takes it. A promise: no
   * more until it has resolved.
   */
  move(take: Take): Promise<unknown> | undefined;
  /**
   * Nothing is read until what is returned is called: looks now and then whether the rest can still come. When it cannot,
   * the server emits `clientError`, as it would if it had read so far.
   */
  watch(): () => void;
}

/** How often that is looked at, in milliseconds. */
const LOOK = 200;

const passed = new WeakMap<IncomingMessage, PassedBody>();

/** What can be done with the body of this request; `undefined` where it can only be read. */
export function passedBody(incoming: IncomingMessage): PassedBody | undefined {
  return passed.get(incoming);
}

/** Makes the bodies of requests to a server pass. */
export function passBodies(http: Server, system: SystemCalls | null): void {
  for (const event of ["request", "checkContinue", "checkExpectation"]) {
    http.prependListener(event, (incoming: IncomingMessage) => pass(http, incoming, system));
  }
}

/** What a body is made of is nothing to the parser. As large as a pipe, so one is enough. */
let anything: Buffer | undefined;

function pass(http: Server, incoming: IncomingMessage, system: SystemCalls | null): void {
  const { headers, socket } = incoming;
  // What the parser has not seen yet.
  let left = Number(headers["content-length"]);
  // After a request to upgrade, nothing is a body to the parser.
  if (!(left > SMALL) || headers["transfer-encoding"] !== undefined || headers.upgrade !== undefined) return;
  const { parser } = socket as { parser?: Parser | null };
  const event = (parser?.constructor as { readonly kOnBody?: unknown } | undefined)?.kOnBody;
  if (!parser || parser.socket !== socket || typeof event !== "number") return;
  const { execute } = parser;
  let tell = parser[event];
  if (typeof tell !== "function") return;
  /** Whether the parser is still busy with what the body began in. */
  let isBeginning = true;

  function onBody(piece: Buffer): unknown {
    left -= piece.length;
    if (left <= 0) restore();
    return tell!.call(parser, piece);
  }
  function count(bytes: Buffer): unknown {
    parser![event as number] = null;
    try {
      return execute.call(parser, bytes);
    } finally {
      parser![event as number] = onBody;
    }
  }
  function take(bytes: Buffer): unknown {
    // While Deno's parser is busy there is something else in its place that holds what it is busy with, as in the beginning.
    const told = parser![event as number];
    if (told !== onBody && typeof told === "function") tell = told;
    // Deno gives a parser that has failed to another connection at once.
    if (parser!.socket !== socket || bytes.length >= left) {
      restore();
      return execute.call(parser, bytes);
    }
    isBeginning = false;
    const result = count(bytes);
    onBody(bytes);
    return result;
  }
  function move(take: Take): Promise<unknown> | undefined {
    for (let times = 0; times < MOVES && mayMove(); times++) {
      anything ??= Buffer.alloc(1 << 20);
      const most = Math.min(left - 1, anything.length);
      const moved = take((to) => moveToPipe(system!, socket, to, most));
      if (typeof moved !== "number") return moved;
      if (moved === 0) return undefined;
      left -= moved;
      count(anything.subarray(0, moved));
    }
    return undefined;
  }
  function watch(): () => void {
    const timer = setInterval(() => {
      if (parser!.socket !== socket || socket.destroyed) return clearInterval(timer);
      if (!bringsLess(system!, socket, left)) return;
      clearInterval(timer);
      http.emit("clientError", new Error("The client left before its request was complete"), socket);
    }, LOOK).unref();
    return () => clearInterval(timer);
  }
  /** Whether the next byte of the connection is the next one of the body, and not its last. */
  function mayMove(): boolean {
    return !isBeginning && left > 1 && parser!.socket === socket &&
      [incoming, socket].every(({ destroyed, readableLength }) => !destroyed && readableLength === 0);
  }
  /** Before `http` gives the parser back, as Node and Deno use it again. */
  function restore(): void {
    left = 0;
    if (parser![event as number] === onBody) parser![event as number] = tell;
    parser!.execute = execute;
    socket.off("close", restore);
  }
  parser[event] = onBody;
  parser.execute = take;
  socket.prependOnceListener("close", restore);
  if (system !== null) passed.set(incoming, { move, watch });
}
