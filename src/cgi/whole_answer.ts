/**
 * The answer of a script that has ended well, when all of it is there: most scripts are over before anybody can look, and
 * need nobody to watch over them.
 *
 * @module
 */

import type { AnswerFields } from "../fields.ts";
import type { FinishedRun } from "../finished_run.ts";
import type { Bytes } from "../runtime.ts";
import { type Conditional, conditionalStatus } from "./conditional.ts";
import { isSuccess } from "./failure.ts";
import { createHeadReader } from "./head.ts";
import { type Answer, mayHaveBody, planResponse } from "./response.ts";

/** A response to a script's request, with its length among the headers. */
export interface WholeAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Pick<AnswerFields, "toRecord" | "toHeaders">;
  /** `null` for none. */
  readonly body: Bytes | null;
}

/** What was made of the head of a script's output before: most runs of a script begin with the same. */
export interface HeadMemory {
  last: KnownHead | null;
}

interface KnownHead {
  /** With the blank line. */
  readonly head: Bytes;
  readonly plan: Answer;
  /** The plan's headers with the length of the last body. */
  headers: AnswerFields;
}

/**
 * `null` when there is more to it than to send what was written: a failure, a redirect, an error output to log. A head that
 * is that of the `memory` is not read again.
 */
export function wholeAnswer(
  run: FinishedRun,
  asked: Conditional,
  strict: boolean,
  memory: HeadMemory = { last: null },
): WholeAnswer | null {
  const { status: exit, stdout, stderr } = run;
  if (!isSuccess(exit) || stderr.length > 0) return null;
  const { last } = memory;
  const isSame = last !== null && startsWith(stdout, last.head);
  const known = isSame ? last : readHead(stdout, strict);
  if (known === null) return null;
  // Output without a head would begin with any other.
  if (!isSame && known.head.length > 0) memory.last = known;
  const { head, plan } = known;
  const { status, statusText, length } = plan;
  const rest = stdout.subarray(head.length);
  if (length !== null && length !== rest.length) return null;
  if (!mayHaveBody(status, asked.method) || conditionalStatus(asked, plan) !== null) return null;
  const bodyLength = String(rest.length);
  if (known.headers.get("content-length") !== bodyLength) {
    known.headers = plan.headers.with("content-length", bodyLength);
  }
  return { status, statusText, headers: known.headers, body: rest.length === 0 ? null : rest };
}

function readHead(stdout: Bytes, strict: boolean): KnownHead | null {
  const progress = createHeadReader(strict).push(stdout);
  if (progress.kind !== "head") return null;
  const plan = planResponse(progress.head, strict);
  if (plan.kind !== "answer" || plan.chunked) return null;
  const head = stdout.slice(0, stdout.length - progress.rest.length);
  return { head, plan, headers: plan.headers };
}

function startsWith(bytes: Bytes, start: Bytes): boolean {
  if (bytes.length < start.length) return false;
  for (let at = 0; at < start.length; at++) if (bytes[at] !== start[at]) return false;
  return true;
}
