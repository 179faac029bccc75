/**
 * Answers that are not a file: errors, and what happens with them.
 *
 * @module
 */

import { errorPage, type ShowError } from "../error_page.ts";
import type { Log } from "../log/events.ts";
import { unusableMethodStatus } from "../methods.ts";
import { FileError } from "../runtime.ts";

/** The methods this handler answers. */
export const ALLOWED = "GET, HEAD, OPTIONS";

/** A status that is not a file's, before it is rendered. */
export interface Refusal {
  readonly status: number;
  readonly explain?: string;
  readonly headers?: Headers | Readonly<Record<string, string>>;
}

/** What a method other than GET, HEAD and OPTIONS gets. */
export function refuseMethod(method: string, postIsForCgi: boolean): Refusal {
  const headers = { allow: ALLOWED };
  if (method === "POST" && postIsForCgi) {
    return { status: 501, explain: "Can only POST to CGI scripts", headers };
  }
  return { status: unusableMethodStatus(method), headers };
}

/**
 * What a failure gets: not allowed to read is 403, out of descriptors or memory 503, as is a file that is being written
 * over right now. The log is told what and where.
 */
export function refuseFailure(
  error: unknown,
  path: string,
  log: Log,
  requestId: string | undefined,
): Refusal {
  const reason = error instanceof FileError ? error.reason : "failed";
  const detail = error instanceof Error ? error.message : String(error);
  log({
    type: "message",
    level: reason === "denied" || reason === "changed" ? "warning" : "error",
    source: "static",
    message: `${CAUSES[reason]} ${path}: ${detail}`,
    ...(requestId === undefined ? {} : { requestId }),
  });
  if (reason === "denied") return { status: 403 };
  if (reason === "failed") return { status: 500 };
  return { status: 503, headers: { "retry-after": reason === "changed" ? "1" : "3" } };
}

const CAUSES = {
  denied: "not allowed to read, check the permissions of",
  exhausted: "out of file descriptors or memory (raise the limit, or ulimit -n) for",
  changed: "file is being changed while it is read:",
  failed: "cannot read",
} as const;

/** Renders a refusal. A page of the operator's own that fails gives way to the built-in one. */
export async function renderRefusal(
  refusal: Refusal,
  request: Request,
  render: ShowError,
  log: Log,
): Promise<Response> {
  const page = { ...refusal, request };
  try {
    return await render(page);
  } catch (error) {
    log({
      type: "message",
      level: "error",
      source: "static",
      message: `renderError failed for status ${refusal.status}: ${String(error)}`,
    });
    return errorPage(page);
  }
}
