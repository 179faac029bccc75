/**
 * What makes a handler fit for a server: it always answers, and what it answered is logged.
 *
 * @module
 */

import { askAtOnce, type AtOnce, changeAnswer, type RequestHead, withOther } from "./at_once.ts";
import { now } from "./clock.ts";
import { errorPage, type ErrorPageInit, type ShowError } from "./error_page.ts";
import type { Connection, Handler } from "./handler.ts";
import { hasInvalidHost } from "./host.ts";
import { accessRecord, accessTeller } from "./log/access.ts";
import type { Log, LogEvent } from "./log/events.ts";
import { requestTarget } from "./request_path.ts";
import { BrokenBody } from "./response.ts";
import { ListenError } from "./runtime.ts";

/** A handler that always answers. */
export interface CompleteHandler {
  (request: Request, connection?: Connection): Promise<Response>;
  readonly atOnce: AtOnce;
}

/** A handler that always answers, never throws, and logs what it answered. */
export function completeHandler(handler: Handler, renderError: ShowError, log: Log): CompleteHandler {
  async function dispatch(request: Request, connection: Connection = {}): Promise<Response> {
    // Whoever dispatches may sit below a mount of its own. From here on it is the whole path again.
    const { mount: _mount, ...rest } = connection;
    const inner: Connection = { ...rest, dispatch };
    return await handler(request, inner) ?? await renderError({ status: 404, request });
  }
  return Object.assign(handleCompletely, { atOnce });

  function atOnce(head: RequestHead, connection: Connection): ReturnType<AtOnce> {
    if (hasInvalidHost(head) || connection.mount !== undefined) return "later";
    const started = log.access === false ? 0 : now();
    const answer = tryAtOnce(head, connection);
    if (answer === undefined || answer === "later") return "later";
    if (log.access === false) return answer;
    return changeAnswer(
      answer,
      (made) => withOther(made, made.headers, accessTeller(head, connection, made, started, log)),
    );
  }

  /** What fails is asked the ordinary way, where failures are answered and logged. */
  function tryAtOnce(head: RequestHead, connection: Connection): ReturnType<AtOnce> {
    try {
      return askAtOnce(handler, head, connection);
    } catch {
      return "later";
    }
  }

  async function handleCompletely(request: Request, connection: Connection = {}): Promise<Response> {
    const requestId = connection.requestId ?? connection.begun?.requestId ?? crypto.randomUUID();
    const record = accessRecord(request, { ...connection, requestId }, log);
    const { onScript, onUser } = record;
    let response: Response;
    let clientGone = false;
    try {
      response = hasInvalidHost(request)
        ? await renderError({ status: 400, request })
        : await dispatch(request, { ...connection, requestId, onScript, onUser });
    } catch (error) {
      // A handler that gives up because the client left has not failed.
      clientGone = request.signal.aborted;
      if (!clientGone) log(failure(request, requestId, error));
      response = await showErrorSafely(renderError, { status: 500, request });
    }
    record.answered(response, clientGone);
    return response;
  }
}

/** The error page, or the default one where making it fails: that may be what failed in the first place. */
export async function showErrorSafely(renderError: ShowError, page: ErrorPageInit): Promise<Response> {
  try {
    return await renderError(page);
  } catch {
    return errorPage(page);
  }
}

function failure(request: Request, requestId: string, error: unknown): LogEvent {
  const message = `handler failed for ${request.method} ${requestTarget(request)}: ${describe(error)}`;
  return { type: "message", level: "error", source: "server", requestId, message };
}

/** Logs what went wrong once a response was handed over, or with the socket. A body that broke may have been logged. */
export function reportFailure(error: unknown, log: Log): void {
  if (error instanceof BrokenBody) return;
  log({
    type: "message",
    level: "error",
    source: "server",
    message: error instanceof ListenError ? error.message : `response broken off: ${describe(error)}`,
  });
}

/** An error in one line. */
function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
