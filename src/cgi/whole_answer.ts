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
import { mayHaveBody, planResponse } from "./response.ts";

/** A response to a script's request, with its length among the headers. */
export interface WholeAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: AnswerFields;
  /** `null` for none. */
  readonly body: Bytes | null;
}

/** `null` when there is more to it than to send what was written: a failure, a redirect, an error output to log. */
export function wholeAnswer(run: FinishedRun, asked: Conditional, strict: boolean): WholeAnswer | null {
  if (!isSuccess(run.status) || run.stderr.length > 0) return null;
  const reader = createHeadReader(strict);
  const progress = reader.push(run.stdout);
  if (progress.kind !== "head") return null;
  const answer = planResponse(progress.head, strict);
  if (answer.kind !== "answer" || answer.chunked) return null;
  const { status, statusText, headers, length } = answer;
  const { rest } = progress;
  if (length !== null && length !== rest.length) return null;
  if (!mayHaveBody(status, asked.method) || conditionalStatus(asked, answer) !== null) return null;
  headers.set("content-length", String(rest.length));
  return { status, statusText, headers, body: rest.length === 0 ? null : rest };
}
