/**
 * A script's body on its way to the client: whole, with its length, when it was all there at once; else as it comes.
 *
 * @module
 */

import type { AnswerFields } from "../fields.ts";
import { setLending } from "../lent_bytes.ts";
import { setReadNow } from "../read_now.ts";
import { BrokenBody, respond } from "../response.ts";
import type { Bytes } from "../runtime.ts";
import type { Answer } from "./response.ts";
import { describeStop, type ScriptBody, ScriptFailed } from "./script_body.ts";
import type { RunningScript } from "./supervisor.ts";

/**
 * How long a short answer is held back for its end, in milliseconds. Most scripts are over by then, and one response
 * with its length costs less than chunks; one that is not loses this much once.
 */
const HOLD_TIME = 8;

/** More than this many bytes are not held back. */
const HOLD_SIZE = 65_536;

/** What is sent, and who is told how it went. */
export interface BodyDelivery {
  readonly answer: Answer;
  readonly body: ScriptBody;
  readonly running: RunningScript;
  /** The script has failed, and nothing was sent yet. `page` is its answer as an error, if that is whole. */
  readonly onFailed: (reason: string, page: Response | null) => Promise<Response>;
  /** The response was broken off. */
  readonly onBroken: (reason: string) => void;
  /** All that was declared has been sent: what the script still writes is not for the client. */
  readonly onFull: () => void;
}

type Next = Promise<Bytes | null>;

/** Sends a body. */
export async function sendBody(delivery: BodyDelivery): Promise<Response> {
  const { answer, body, running } = delivery;
  const held: Bytes[] = [];
  let size = 0;
  let pending: Next;
  const hold = startHold();
  try {
    for (;;) {
      pending = body.next();
      const bytes = await hold.race(pending);
      if (bytes === "late") break;
      if (bytes === null) return sendWhole(delivery, held, size);
      if (bytes instanceof ScriptFailed) {
        return await delivery.onFailed(bytes.message, errorOf(bytes, answer, held, size));
      }
      if (bytes instanceof BrokenBody) {
        if (size === 0 && running.stopped() === null) return await delivery.onFailed(bytes.message, null);
        break;
      }
      held.push(bytes);
      size += bytes.length;
      if (size > HOLD_SIZE) {
        pending = body.next();
        break;
      }
    }
  } finally {
    hold.clear();
  }
  // Nobody may ever read it.
  pending.catch(() => {});
  if (answer.length !== null) answer.headers.set("content-length", String(answer.length));
  const stream = deliver(delivery, held, pending);
  return respond(answer.status, answer.headers.toHeaders(), stream, answer.statusText);
}

function sendWhole({ answer, body, onFull }: BodyDelivery, held: readonly Bytes[], size: number): Response {
  if (body.isFull()) onFull();
  answer.headers.set("content-length", String(size));
  const headers = answer.headers.toHeaders();
  return respond(answer.status, headers, size === 0 ? null : join(held, size), answer.statusText);
}

/**
 * What a script wrote before it ended with an exit status that is not 0: often the page that says what went wrong, and
 * as often a whole answer, with the status of its last command. It is not kept from the client, but never a success.
 */
function errorOf(
  failed: ScriptFailed,
  answer: Answer,
  held: readonly Bytes[],
  size: number,
): Response | null {
  const isWhole = failed.exit.code !== null && size > 0 && (answer.length ?? size) === size;
  if (!isWhole || answer.chunked) return null;
  const headers = withoutValidators(answer.headers);
  headers.set("content-length", String(size));
  return respond(500, headers, join(held, size));
}

/** No cache may keep it, and no browser may follow it. */
function withoutValidators(fields: AnswerFields): Headers {
  const kept = fields.toHeaders();
  for (const name of ["etag", "last-modified", "expires", "location"]) kept.delete(name);
  kept.set("cache-control", "no-store");
  return kept;
}

interface Hold {
  /** What comes first. */
  race(pending: Next): Promise<Bytes | null | BrokenBody | "late">;
  clear(): void;
}

function startHold(): Hold {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(resolve, HOLD_TIME, "late"));
  return {
    race: (pending) => Promise.race([pending.catch((error: BrokenBody) => error), late]),
    clear: () => clearTimeout(timer),
  };
}

function join(pieces: readonly Bytes[], size: number): Bytes {
  if (pieces.length === 1) return pieces[0]!;
  const whole: Bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The body as a stream: read from the script only as the client takes it. */
function deliver(
  { body, running, onBroken, onFull }: BodyDelivery,
  held: Bytes[],
  pending: Next,
): ReadableStream<Bytes> {
  let begun: Next | null = pending;
  let done = false;

  function fail(controller: ReadableStreamDefaultController<Bytes>, reason: string): void {
    if (done) return;
    done = true;
    // A client that has left, or a script that was stopped for its sake, is nothing to report.
    if (running.stopped() !== "client-gone") onBroken(reason);
    running.stop("bad-output");
    controller.error(new BrokenBody(reason));
  }
  function finish(controller: ReadableStreamDefaultController<Bytes>): void {
    if (done) return;
    done = true;
    if (body.isFull()) onFull();
    controller.close();
  }
  async function pull(controller: ReadableStreamDefaultController<Bytes>): Promise<void> {
    if (held.length > 0) return controller.enqueue(held.shift()!);
    try {
      const bytes = await (begun ?? body.next());
      begun = null;
      if (done) return;
      if (bytes === null) return finish(controller);
      controller.enqueue(bytes);
      // The end that is known is told now: the client need not ask for it.
      if (body.isFull()) finish(controller);
    } catch (error) {
      fail(controller, (error as Error).message);
    }
  }
  function readNow(): Bytes | null {
    if (done || begun !== null || held.length > 0) return null;
    try {
      return body.nextNow();
    } catch (error) {
      begun = Promise.reject(error);
      begun.catch(() => {});
      return null;
    }
  }
  const stream = new ReadableStream<Bytes>({
    start(controller) {
      // At once, also while the client takes nothing.
      running.onStop(() => fail(controller, describeStop(running)));
    },
    pull,
    cancel() {
      done = true;
      running.stop("client-gone");
    },
  }, { highWaterMark: 0 });
  return setReadNow(setLending(stream), readNow);
}
