/**
 * Answers on the head of a request alone what a small file answers: that takes neither a `Request` nor a `Response`.
 * What comes of any other target is kept for the handler itself.
 *
 * @module
 */

import type { PreparedResponse, RequestHead } from "../at_once.ts";
import type { Begun, Connection } from "../handler.ts";
import type { BodySource } from "../response.ts";
import { isFileAnswer, type Outcome } from "./answer.ts";
import type { StaticContext } from "./context.ts";
import type { Asked } from "./file_response.ts";
import { parseMount, parseTarget, type Target } from "./target.ts";

/** Finds out what comes of a target. */
export type TryAnswer = (
  asked: {
    readonly asked: Asked;
    readonly target: Target;
    readonly mount: readonly string[];
    readonly routed: string | undefined;
  },
  requestId: () => string,
) => Promise<Outcome>;

/** Answers on the head of a request. */
export interface HeadStart {
  /** `"later"` where it takes a whole request. */
  begin(head: RequestHead, connection: Connection): Promise<PreparedResponse | Begun> | "later";
  /** What has come of it here, once; `null` where that is not known yet. */
  take(begun: Begun): Outcome;
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
    const started = performance.now();
    let requestId = connection.requestId;
    const named = (): string => requestId ??= crypto.randomUUID();
    const outcome = await tryAnswer({ asked: head, target, mount, routed: connection.mount }, named);
    if (outcome !== null && isFileAnswer(outcome)) {
      const { status, fields, body } = outcome;
      if (body === null || body instanceof Uint8Array) {
        return { status, headers: fields.toRecord(), body, ...(requestId !== undefined && { requestId }) };
      }
      // An open file is nothing to be kept for somebody who may not come. Whoever does hears of what is wrong with it.
      await release(body).catch(() => {});
    }
    const begun = { requestId: named(), started };
    if (outcome !== null && !isFileAnswer(outcome)) outcomes.set(begun, outcome);
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
      const outcome = outcomes.get(begun) ?? null;
      outcomes.delete(begun);
      return outcome;
    },
  };
}

/** Segments of the path that the folder stands for. */
export function mountOf(context: StaticContext, { mount }: Connection): readonly string[] {
  return mount === undefined ? context.mount : parseMount(mount);
}

async function release(body: BodySource): Promise<void> {
  if (body instanceof ReadableStream) await body.cancel();
  else if (typeof body === "object" && body !== null && "file" in body) await body.file.close();
}
