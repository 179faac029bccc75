/**
 * Answers on the head of a request alone what a small file answers: that takes neither a `Request` nor a `Response`.
 * What comes of any other target, an open file for one, is kept for the handler itself.
 *
 * @module
 */

import type { PreparedResponse, RequestHead } from "../at_once.ts";
import { now } from "../clock.ts";
import type { Begun, Connection } from "../handler.ts";
import { type Exchange, isFileAnswer, type Outcome } from "./answer.ts";
import type { StaticContext } from "./context.ts";
import { parseMount, parseTarget, type Target } from "./target.ts";

/** Finds out what comes of a request. */
export type TryAnswer = (asked: Omit<Exchange, "evidence">, requestId: () => string) => Promise<Outcome>;

/** Answers on the head of a request. */
export interface HeadStart {
  /** `"later"` where it takes a whole request. */
  begin(head: RequestHead, connection: Connection): Promise<PreparedResponse | Begun> | "later";
  /** What has come of it here, once. */
  take(begun: Begun): Outcome | undefined;
}

/** Prepares it. */
export function createHeadStart(context: StaticContext, tryAnswer: TryAnswer): HeadStart {
  const outcomes = new WeakMap<Begun, Outcome>();

  async function conclude(
    head: RequestHead,
    target: Target,
    mount: readonly string[],
    connection: Connection,
  ): Promise<PreparedResponse | Begun> {
    const started = now();
    let requestId = connection.requestId;
    const named = (): string => requestId ??= crypto.randomUUID();
    const outcome = await tryAnswer({ asked: head, target, mount, routed: connection.mount }, named);
    if (isFileAnswer(outcome)) {
      const { status, fields, body } = outcome;
      if (body === null || body instanceof Uint8Array) {
        return { status, headers: fields.toRecord(), body, ...(requestId !== undefined && { requestId }) };
      }
    }
    const begun = { requestId: named(), started };
    outcomes.set(begun, outcome);
    return begun;
  }

  return {
    begin(head, connection) {
      // That function is told of the request itself.
      if (context.rewrite !== undefined) return "later";
      const mount = mountOf(context, connection);
      const target = parseTarget({ url: head.target }, mount);
      return typeof target === "object" ? conclude(head, target, mount, connection) : "later";
    },
    take(begun) {
      const outcome = outcomes.get(begun);
      outcomes.delete(begun);
      return outcome;
    },
  };
}

/** Segments of the path that the folder stands for. */
export function mountOf(context: StaticContext, { mount }: Connection): readonly string[] {
  return mount === undefined ? context.mount : parseMount(mount);
}
