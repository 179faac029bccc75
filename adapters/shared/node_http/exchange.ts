/**
 * One request and its response on `node:http`: who is waiting for what, and
 * what happens when the client leaves.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { PreparedResponse, RequestHead } from "../../../src/at_once.ts";
import type { Begun, Handler, Sent } from "../../../src/handler.ts";
import { parseUrl } from "../../../src/request_path.ts";
import type { NetworkAddress } from "../../../src/runtime.ts";
import { askForAnswer, type Remainder, sendPrepared } from "./at_once.ts";
import { breakStream, isHeadTooLarge, streamOf } from "./http2.ts";
import type { Refusals } from "./refusal.ts";
import { type NodeRequest, requestClass, urlOf } from "./request.ts";
import { type RequestBody, requestBody } from "./request_body.ts";
import { cancelBody, deliver, type Delivery, type SendFile } from "./response.ts";
import type { SendNow } from "./send_now.ts";

/** What all exchanges of a listener share. */
export interface ExchangeOptions {
  readonly handler: Handler;
  readonly refusals: Refusals;
  readonly onError: (error: unknown) => void;
  /** How the system sends a file, where it can. */
  readonly sendFile: SendFile | null;
  /** How the system sends bytes, where it is asked past the runtime. */
  readonly sendNow: SendNow | null;
  /** Whether connections are to be closed as soon as they have been answered. */
  readonly isClosing: () => boolean;
}

/** The connection that exchanges happen on. */
export interface Ends {
  readonly remote: NetworkAddress | null;
  readonly local: NetworkAddress | null;
  /** Whether it is TLS. */
  readonly secure: boolean;
}

/** An exchange that is under way. */
export interface Exchange extends Remainder {
  /** Whether all of its request is here. */
  isWhole(): boolean;
  /** Whether the handler was not asked in full. */
  readonly isAtOnce?: boolean;
}

/** What has become of a request before the handler is asked in full. */
export type Decided = PreparedResponse | Begun;

/** How an exchange begins: it is under way, its connection ends with it, or it is over already. */
export type Beginning = Exchange | "refused" | "done";

/** What a client waits for before it sends the body (RFC 9110 section 10.1.1): `100 Continue`, or what nobody knows. */
export type Expectation = "100-continue" | "unknown" | null;

/** Starts an exchange. */
export function startExchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  expects: Expectation,
  ends: Ends,
  options: ExchangeOptions,
  decided: Decided | null = null,
): Beginning {
  const { isClosing, onError } = options;
  const answer = decided ?? askAtOnce(incoming, expects, ends, options);
  if (answer === null) return askInFull(incoming, outgoing, expects, ends, options);
  function settle(made: Decided): Remainder | "refused" | "done" {
    return "status" in made
      ? sendPrepared(outgoing, isClosing() ? lastAnswer(made) : made)
      : askInFull(incoming, outgoing, null, ends, options, made);
  }
  function fail(error: unknown): void {
    onError(error);
    breakOff(outgoing, false);
  }
  if (!(answer instanceof Promise)) {
    try {
      const rest = settle(answer);
      return typeof rest === "string" ? rest : { isWhole, isAtOnce: true, ...rest };
    } catch (error) {
      fail(error);
      return "refused";
    }
  }
  let left = false;
  let then: Remainder | "refused" | "done" | null = null;
  void answer.then((made) => {
    // What was begun is gone on with in any case.
    if (left && "status" in made) return made.onSent?.({ begun: false, bytes: 0, complete: false });
    then = settle(made);
    if (left && typeof then === "object") then.leave();
  }).catch(fail);
  return {
    isWhole,
    isAtOnce: true,
    leave() {
      left = true;
      if (then !== null && typeof then === "object") then.leave();
    },
  };
}

/** Has the handler go on with what it has begun for a client that has left. */
export function finishFor(
  { method, target, headers }: RequestHead,
  begun: Begun,
  { remote, local, secure }: Ends,
  { handler, onError }: ExchangeOptions,
): void {
  const rawHeaders: string[] = [];
  headers.forEach((value, name) => void rawHeaders.push(name, value));
  const url = `${secure ? "https" : "http"}://${headers.get("host")}${target}`;
  const Class = requestClass();
  const request = new Class({ method, rawHeaders }, parseUrl(url).href, null);
  const onSent = (callback: (sent: Sent) => void) => callback({ begun: false, bytes: 0, complete: false });
  Promise.resolve(handler(request, { remote, local, secure, protocol: "HTTP/1.1", onSent, begun }))
    .then((response) => response && cancelBody(response))
    .catch(onError);
  request.leave();
}

/** `null` when the handler is to be asked in full. */
function askAtOnce(
  incoming: IncomingMessage,
  expects: Expectation,
  { remote, local, secure }: Ends,
  { handler, isClosing }: ExchangeOptions,
): Decided | Promise<Decided> | null {
  if (handler.atOnce === undefined || expects !== null || isClosing() || isHeadTooLarge(incoming)) {
    return null;
  }
  return askForAnswer(handler.atOnce, incoming, { remote, local, secure, protocol: protocolOf(incoming) });
}

/** Only requests without a body are answered on their head. */
function isWhole(): boolean {
  return true;
}

function protocolOf({ httpVersion }: IncomingMessage): string {
  return httpVersion === "2.0" ? "HTTP/2.0" : httpVersion === "1.1" ? "HTTP/1.1" : "HTTP/1.0";
}

/** Nothing more is answered on this connection. */
function lastAnswer(answer: PreparedResponse): PreparedResponse {
  return { ...answer, headers: { ...answer.headers, connection: "close" } };
}

/** `begun`: what the handler has begun already. */
function askInFull(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  expects: Expectation,
  ends: Ends,
  options: ExchangeOptions,
  begun?: Begun,
): Exchange | "refused" {
  const { handler, onError } = options;
  const { remote, local, secure } = ends;
  const protocol = protocolOf(incoming);
  let waits = expects === "100-continue";
  let left = false;
  let delivery: Delivery | null = null;
  const tally = { bytes: 0 };
  const tell: ((sent: Sent) => void)[] = [];
  const body = requestBody(incoming, () => {
    // Too late once the response has begun: the client has stopped waiting.
    if (waits && !outgoing.headersSent) outgoing.writeContinue();
    waits = false;
  }, leave);
  const request = requestOf(incoming, body.stream, secure);
  if (request === null || expects === "unknown" || isHeadTooLarge(incoming)) {
    options.refusals.send(outgoing, request === null ? 400 : expects === "unknown" ? 417 : 431);
    body.release();
    return "refused";
  }
  function onSent(callback: (sent: Sent) => void): void {
    tell.push(callback);
    if (left) report(false);
    // It comes, too, when the client has left.
    else if (tell.length === 1) outgoing.once("finish", () => report(!incoming.socket.destroyed));
  }
  function report(complete: boolean): void {
    const bytes = Math.max(0, tally.bytes - outgoing.writableLength);
    for (const callback of tell.splice(0)) callback({ begun: outgoing.headersSent, bytes, complete });
  }
  function respond(response: Response): void {
    if (left) {
      cancelBody(response);
      return;
    }
    delivery = deliver({
      outgoing,
      response,
      isHead: incoming.method === "HEAD",
      sendFile: options.sendFile,
      sendNow: options.sendNow,
      // Node's parser drops what follows a request to upgrade.
      mustClose: () =>
        waits || incoming.headers.upgrade !== undefined || body.isTooMuch() || options.isClosing(),
      tally,
      onEnding: body.release,
      onBroken(error, untilClose) {
        breakOff(outgoing, untilClose);
        onError(error);
      },
    });
  }
  function settle(response: Response | undefined): void {
    try {
      respond(checkResponse(response ?? new Response(null, { status: 404 })));
    } catch (error) {
      fail(error);
    }
  }
  function fail(error: unknown): void {
    if (left) return;
    onError(error);
    if (outgoing.headersSent) breakOff(outgoing, false);
    else respond(new Response(null, { status: 500 }));
  }
  try {
    const answer = handler(request, {
      remote,
      local,
      secure,
      protocol,
      onSent,
      ...(begun !== undefined && { begun }),
    });
    if (answer === undefined || answer instanceof Response) settle(answer);
    else answer.then(settle, fail);
  } catch (error) {
    fail(error);
  }
  function leave(): void {
    if (left) return;
    left = true;
    body.abandon();
    report(false);
    if (delivery === null) request?.leave();
    else delivery.cancel();
  }
  return { isWhole: () => incoming.complete, leave };
}

function requestOf(
  incoming: IncomingMessage,
  body: RequestBody["stream"],
  secure: boolean,
): NodeRequest | null {
  // RFC 9112 section 6.1: a proxy that speaks HTTP/1.0 would see another end of this body, and the next request in it.
  if (incoming.httpVersion === "1.0" && incoming.headers["transfer-encoding"] !== undefined) return null;
  const url = urlOf(incoming, secure ? "https" : "http");
  if (url === null) return null;
  try {
    const Class = requestClass();
    return new Class(incoming, url.includes("/.") ? parseUrl(url).href : url, body);
  } catch {
    // A host that looks like one and is none: `256.0.0.1`, a port above 65535.
    return null;
  }
}

function checkResponse(response: Response): Response {
  if (!(response instanceof Response)) {
    throw new TypeError("The handler returned something else than a Response");
  }
  if (response.type === "error" || response.bodyUsed) {
    throw new TypeError("The handler returned a Response that cannot be sent");
  }
  return response;
}

/** Ends a transfer so that it does not look complete. */
function breakOff(outgoing: ServerResponse, untilClose: boolean): void {
  // What was written before is still corked in this turn of the event loop.
  setImmediate(() => {
    const stream = streamOf(outgoing);
    if (stream !== null) return breakStream(stream);
    const { socket } = outgoing;
    // Bun has this property on every socket, Node on TLS sockets alone.
    const isTls = socket !== null && "encrypted" in socket && socket.encrypted === true;
    // Only a reset tells a broken body from a whole one then. TLS has an alert for a proper end.
    if (untilClose && socket !== null && !isTls) socket.resetAndDestroy();
    // Bun would make a whole response of one that is destroyed before its head was sent.
    else (socket ?? outgoing).destroy();
  });
}
