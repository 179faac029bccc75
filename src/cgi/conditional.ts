/**
 * Conditional requests answered from what the script itself says of its document, as Apache does.
 *
 * @module
 */

import type { AnswerFields } from "../fields.ts";
import { parseHttpDate } from "../static/http_date.ts";
import { evaluateConditions } from "../static/preconditions.ts";
import type { Answer } from "./response.ts";

/** What of a request its conditions are taken from. */
export interface Conditional {
  readonly method: string;
  readonly headers: Pick<Headers, "get">;
}

/**
 * The status that a condition of the request makes of a script's answer: 304, 412, or `null` when the document is to be
 * sent. Only where the script left the status to the server: one that says 200 means it.
 */
export function conditionalStatus(
  request: Conditional,
  { implicit, headers, status }: Answer,
): 304 | 412 | null {
  if (!implicit || status !== 200) return null;
  if (request.method !== "GET" && request.method !== "HEAD") return null;
  const tag = headers.get("etag");
  const date = headers.get("last-modified");
  if (tag === null && date === null) return null;
  const modified = date === null ? null : parseHttpDate(date);
  const verdict = evaluateConditions(request.headers, {
    tag: tag !== null && /^(?:W\/)?"[^"]*"$/.test(tag) ? tag : null,
    // RFC 9110 section 8.8.2.1: a date in the future says nothing yet.
    modified: modified !== null && modified <= Date.now() ? modified : null,
    strongDate: false,
  });
  if (verdict === "proceed") return null;
  return verdict === "not-modified" ? 304 : 412;
}

/** Removes what describes a body that is not sent (RFC 9110 section 15.4.5). */
export function withoutBodyFields(headers: AnswerFields): Headers {
  const kept = headers.toHeaders();
  for (const name of ["content-encoding", "content-language", "content-range", "content-type"]) {
    kept.delete(name);
  }
  return kept;
}
