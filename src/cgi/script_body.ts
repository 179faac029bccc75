/**
 * The body of a script's response, held to what its head said and to how the script ends.
 *
 * @module
 */

import { BrokenBody } from "../response.ts";
import type { Bytes, ExitStatus } from "../runtime.ts";
import { createChunkDecoder } from "./chunked.ts";
import { describeExit, isSuccess } from "./failure.ts";
import type { Answer } from "./response.ts";
import type { ReachedLimit, RunningScript } from "./supervisor.ts";

/**
 * How long a script that has closed its output is waited for, in milliseconds: a failure shows as a broken transfer. One
 * that lives on works for itself, and the client is not kept.
 */
export const EXIT_WAIT = 250;

/** A body that cannot be completed because the script has failed by its own account. */
export class ScriptFailed extends BrokenBody {
  readonly exit: ExitStatus;
  constructor(exit: ExitStatus) {
    super(describeExit(exit));
    this.exit = exit;
  }
}

/** A body that is being read. */
export interface ScriptBody {
  /** The next piece, `null` at the end. Rejects with a {@linkcode BrokenBody} that says why there is none. One call at a time. */
  next(): Promise<Bytes | null>;
  /** The next piece, if it is there already and nobody waits for it. Throws what `next()` rejects with. */
  nextNow(): Bytes | null;
  /** Whether all that was declared has been given out: what the script still writes is not the client's. */
  isFull(): boolean;
}

/** What a body is made from. */
export interface BodySpec {
  readonly running: RunningScript;
  readonly answer: Answer;
  /** What was read along with the head. */
  readonly rest: Bytes;
  /** Told when there is more than the declared length. */
  readonly onExcess: () => void;
}

/** Begins to read a body. */
export function readScriptBody(spec: BodySpec): ScriptBody {
  const { running, onExcess } = spec;
  const { length } = spec.answer;
  const decoder = spec.answer.chunked ? createChunkDecoder() : null;
  const ready: Bytes[] = [];
  let passed = 0;

  /** Cuts what is longer than declared: a second response could hide in it. */
  function take(bytes: Bytes): void {
    const room = length === null ? bytes.length : length - passed;
    if (bytes.length > room) onExcess();
    const piece = bytes.length > room ? bytes.subarray(0, room) : bytes;
    if (piece.length === 0) return;
    passed += piece.length;
    ready.push(piece);
  }
  function receive(bytes: Bytes): void {
    if (decoder === null) return take(bytes);
    const pieces = decoder.push(bytes);
    if (pieces === null) throw new BrokenBody("the script's chunks are not well-formed");
    for (const piece of pieces) take(piece);
  }
  const isFull = (): boolean => ready.length === 0 && (passed === length || decoder?.isDone() === true);

  async function next(): Promise<Bytes | null> {
    while (ready.length === 0) {
      if (isFull()) return null;
      const bytes = await running.next();
      if (bytes === null) {
        await checkEnd(running, spec.answer.status);
        if (isFull() || (length === null && decoder === null)) return null;
        throw new BrokenBody(
          length === null
            ? "the script's chunks have no end"
            : `the script wrote ${passed} bytes where it said Content-Length: ${length}`,
        );
      }
      receive(bytes);
    }
    return ready.shift()!;
  }
  // A malformed rest is told when it is read.
  let first = spec.rest.length > 0 ? spec.rest : null;
  return {
    next() {
      if (first === null) return next();
      const bytes = first;
      first = null;
      try {
        receive(bytes);
      } catch (error) {
        return Promise.reject(error);
      }
      return next();
    },
    nextNow() {
      if (first !== null) return null;
      const bytes = ready.length > 0 || isFull() ? null : running.nextNow();
      if (bytes !== null) receive(bytes);
      return ready.shift() ?? null;
    },
    isFull,
  };
}

async function checkEnd(running: RunningScript, status: number): Promise<void> {
  const exit = await running.exitWithin(EXIT_WAIT);
  if (running.stopped() !== null) throw new BrokenBody(describeStop(running));
  if (exit === null || isSuccess(exit)) return;
  // It has said that it failed, and ends accordingly: php-cgi answers 500 and exits with 255.
  if (status >= 400 && exit.code !== null) return;
  throw new ScriptFailed(exit);
}

/** What has happened at a time limit, and what sets it: the option of `cgi()`, the command's flag. */
const LIMITS: Readonly<Record<ReachedLimit["name"], { readonly what: string; readonly option: string }>> = {
  firstByte: { what: "no headers from the script for", option: "timeouts.firstByte, --cgi-timeout" },
  idle: { what: "nothing more from the script for", option: "timeouts.idle, --cgi-idle-timeout" },
  total: { what: "the script did not end within", option: "timeouts.total, --cgi-total-timeout" },
};

/** Why a script was stopped, for the log. */
export function describeStop(running: RunningScript): string {
  const reason = running.stopped();
  const limit = running.limit();
  if (limit !== null) {
    const { what, option } = LIMITS[limit.name];
    return `${what} ${limit.ms / 1000} s (${option})`;
  }
  if (reason === "shutdown") return "the server is shutting down";
  return reason === "client-gone" ? "the client has left" : "the script was stopped";
}
