/**
 * The short cut past the parser, for requests that it has parsed before.
 *
 * Most requests on a connection that is kept are, byte for byte, ones that have been there. The parser would make the
 * same of them again, so what it made is kept ({@linkcode KnownHeads}), the handler is asked to answer it at once,
 * and the answer's bytes go to the socket. Nothing is parsed here. Whatever is not known, comes in pieces or together
 * with other things, or while a request before it is being answered, goes to the parser as if nobody stood before it.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { AtOnce, PreparedResponse, RequestHead } from "../../../src/at_once.ts";
import { now } from "../../../src/clock.ts";
import type { Begun, Connection } from "../../../src/handler.ts";
import { answerBytes, passingAnswerBytes } from "./answer_bytes.ts";
import { reporter, simpleHead } from "./at_once.ts";
import type { Decided, Ends, Exchange } from "./exchange.ts";
import { isOneHead, type KnownHeads } from "./known_heads.ts";

/** What a short cut is told and asks. */
export interface ShortCutOptions {
  readonly heads: KnownHeads;
  readonly atOnce: AtOnce;
  /** Asked for once there was a request. */
  readonly client: () => Ends;
  /** Whether nothing is under way on the connection, and it is to be kept. */
  readonly isIdle: () => boolean;
  /** Something is under way on it. */
  readonly onBegin: (exchange: Exchange) => void;
  /** That is over. */
  readonly onOver: (exchange: Exchange) => void;
  /** Whether connections are to be closed after their answers. */
  readonly isClosing: () => boolean;
  /** Goes on with what was begun for a client that has left. */
  readonly finish: (head: RequestHead, begun: Begun) => void;
}

/** An answer on its way past the parser. */
interface Sending extends Exchange {
  /** Whether the client has left. */
  isLeft: boolean;
  report(complete: boolean): void;
}

/** The short cut of one connection. */
export interface ShortCut {
  /** The parser has found a request. Returns the answer to it, if that is decided already. */
  onRequest(incoming: IncomingMessage, outgoing: ServerResponse): Decided | null;
  /** The handler has answered that request at once. */
  onAnsweredAtOnce(): void;
  /** Since when a head is awaited of which a part is here, as `performance.now()` has it; `null` when none is. */
  headSince(): number | null;
  /** Leaves the connection to somebody else. */
  end(): void;
}

/** Puts a short cut before the parser of a connection; `null` where it cannot stand. */
export function createShortCut(socket: Socket, options: ShortCutOptions): ShortCut | null {
  const { heads, atOnce } = options;
  const listeners = socket.listeners("data") as ((bytes: Buffer) => void)[];
  const parser = listeners[0];
  if (parser === undefined || listeners.length > 1) return null;
  /** Whether the next byte begins a request, as far as the parser goes. */
  let isBetween = true;
  let count = 0;
  let last: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse } | null = null;
  let isAnsweredAtOnce = false;
  let headSince: number | null = null;
  let decided: Decided | null = null;
  /** What has come while an answer is being made. */
  let held: Buffer[] | null = null;
  let connection: Connection | null = null;

  function take(bytes: Buffer): void {
    if (held !== null) {
      held.push(bytes);
      socket.pause();
      return;
    }
    const head = mayAnswer() ? heads.recall(bytes) : undefined;
    const answer = head && atOnce(head, connection ??= connectionOf(options.client()));
    if (typeof answer !== "object") parse(bytes);
    else if (answer instanceof Promise) wait(bytes, head!, answer);
    else {
      const whole = answerBytes(answer);
      if (whole === null) parse(bytes, answer);
      else send(answer, whole, begin());
    }
  }

  /** What comes before the answer is there is for later. */
  function wait(bytes: Buffer, head: RequestHead, answer: Promise<Decided>): void {
    const sending = begin();
    held = [];
    function goOn(made: Decided | null): void {
      const later = held!;
      held = null;
      if (sending.isLeft || !socket.writable) return giveUp(head, made, sending);
      const isAnswer = made !== null && "status" in made;
      const whole = isAnswer && !options.isClosing() ? passingAnswerBytes(made) : null;
      if (whole !== null) send(made as PreparedResponse, whole, sending);
      else {
        parse(bytes, made);
        options.onOver(sending);
      }
      for (const bytes of later) take(bytes);
      socket.resume();
    }
    // What fails is asked for again, where failures are told.
    void answer.then(goOn, () => goOn(null));
  }

  function giveUp(head: RequestHead, made: Decided | null, sending: Sending): void {
    if (made === null) sending.report(false);
    else if ("status" in made) made.onSent?.({ begun: false, bytes: 0, complete: false });
    else options.finish(head, made);
    options.onOver(sending);
  }

  /** The first request of a connection is always the parser's: until then it measures the time that a head takes. */
  function mayAnswer(): boolean {
    return isBetween && last !== null && last.outgoing.writableFinished && socket.writable &&
      options.isIdle();
  }

  /** `answer`: what is decided already of the request that this is. */
  function parse(bytes: Buffer, answer: Decided | null = null): void {
    decided = answer;
    const before = count;
    const isInBody = last !== null && !last.incoming.complete;
    isAnsweredAtOnce = false;
    parser!.call(socket, bytes);
    // The first piece of one that comes together with the end of another does not show: such a connection is without use.
    headSince = count > before || isInBody ? null : headSince ?? now();
    if (!isBetween) return;
    isBetween = count === before + 1 && isOneHead(bytes);
    const head = isBetween ? keptHead(last!.incoming) : null;
    isBetween = head !== null;
    if (head !== null && isAnsweredAtOnce) heads.learn(bytes, head);
  }

  function begin(): Sending {
    const sending: Sending = {
      isLeft: false,
      report: () => {},
      isWhole: () => true,
      leave() {
        sending.isLeft = true;
        sending.report(false);
      },
    };
    options.onBegin(sending);
    return sending;
  }

  function send({ body, onSent }: PreparedResponse, bytes: Buffer, sending: Sending): void {
    socket.write(bytes, (error) => {
      // Of one that was destroyed meanwhile, Node says nothing else.
      sending.report(!error && !socket.destroyed);
      options.onOver(sending);
    });
    sending.report = reporter(body?.length ?? 0, onSent, socket.writableLength);
  }

  socket.off("data", parser);
  socket.on("data", take);
  return {
    onRequest(incoming, outgoing) {
      count++;
      last = { incoming, outgoing };
      const answer = decided;
      decided = null;
      return answer;
    },
    onAnsweredAtOnce() {
      isAnsweredAtOnce = true;
    },
    headSince: () => headSince,
    end() {
      socket.off("data", take);
    },
  };
}

function connectionOf({ remote, local, secure }: Ends): Connection {
  return { remote, local, secure, protocol: "HTTP/1.1" };
}

/** The head of a request after which the connection is kept, and the parser waits for another. */
function keptHead(incoming: IncomingMessage): RequestHead | null {
  if (incoming.httpVersion !== "1.1" || !incoming.complete) return null;
  const head = simpleHead(incoming, true);
  const connection = head?.headers.get("connection") ?? null;
  return connection === null || /^keep-alive$/i.test(connection) ? head : null;
}
