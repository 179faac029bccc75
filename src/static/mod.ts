/**
 * Static files: a folder as a handler.
 *
 * @module
 */

import type { AtOnce } from "../at_once.ts";
import type { Connection, Handler } from "../handler.ts";
import { respond } from "../response.ts";
import { FileError } from "../runtime.ts";
import { answer, type Exchange, isFileAnswer, isRefusal, notFoundPage, type Outcome } from "./answer.ts";
import { createContext, type StaticContext } from "./context.ts";
import { toResponse } from "./file_response.ts";
import { createHeadStart, mountOf } from "./head_start.ts";
import type { StaticOptions } from "./options.ts";
import { ALLOWED, type Refusal, refuseFailure, refuseMethod, renderRefusal } from "./refusal.ts";
import { parseTarget, type Target, withPath } from "./target.ts";

/**
 * Serves the files of a folder: conditional and range requests, indexes, listings, compressed forms, and what sites
 * need besides.
 *
 * What is served is decided by one function for requests and listings alike: names that begin with a dot, links that
 * leave the folder, folders of CGI scripts, FIFOs and devices are not, by default.
 *
 * @throws {TypeError} For an option that makes no sense: no root, an ending without a dot, a header that cannot be sent.
 *
 * @example
 * ```ts
 * import { staticFiles } from "htbin";
 *
 * const handler = staticFiles({ root: "examples/site", listing: true });
 * const response = await handler(new Request("http://localhost/"));
 * console.assert(response?.status === 200);
 * ```
 */
export function staticFiles(options: StaticOptions): Handler {
  const context = createContext(options);
  const { memory } = context;
  const headStart = createHeadStart(context, (asked, requestId) => tryAnswer(context, asked, requestId));
  const atOnce: AtOnce = (head, connection) =>
    memory?.recall(head, connection.mount) ?? headStart.begin(head, connection);
  return Object.assign(handleStatic, { atOnce });

  async function handleStatic(request: Request, connection: Connection = {}): Promise<Response | undefined> {
    const mount = mountOf(context, connection);
    const target = parseTarget(request, mount);
    if (target === "not-mine") return undefined;
    const { method } = request;
    const path = typeof target === "number" ? "/" : target.path;
    if (method !== "GET" && method !== "HEAD") {
      if (context.fallthrough) return undefined;
      if (method === "OPTIONS") return optionsResponse(context, path);
      return await refuse(context, refuseMethod(method, context.postIsForCgi), request, path);
    }
    if (typeof target === "number") return await refuse(context, { status: target }, request, path);
    const mapped = mapTarget(context, target, request);
    if (mapped === 404) return await refuse(context, { status: 404 }, request, path);
    const requestId = () => connection.requestId;
    const exchange = { asked: request, target: mapped, mount, routed: connection.mount };
    const outcome = (connection.begun && headStart.take(connection.begun)) ??
      await tryAnswer(context, exchange, requestId);
    const answer = typeof outcome === "function"
      ? await trying(context, mapped, requestId, () => outcome(request))
      : outcome;
    if (isFileAnswer(answer)) return toResponse(answer);
    return isRefusal(answer) ? await refuse(context, answer, request, path) : answer;
  }
}

/** The target under the path that the operator says, if any. */
function mapTarget({ rewrite }: StaticContext, target: Target, request: Request): Target | 404 {
  if (rewrite === undefined || target.hasDoubledSlash) return target;
  const path = rewrite(target.path, request);
  return path === null ? 404 : withPath(target, path);
}

function tryAnswer(
  context: StaticContext,
  exchange: Omit<Exchange, "evidence">,
  requestId: () => string | undefined,
): Promise<Outcome> {
  return trying(context, exchange.target, requestId, () => {
    return answer(context, { ...exchange, evidence: context.memory?.evidence() ?? null });
  });
}

/** A file that changes between being opened and read is there again a moment later: one more try. */
async function trying<T extends Outcome>(
  { log }: StaticContext,
  { path }: Target,
  requestId: () => string | undefined,
  make: () => Promise<T>,
): Promise<T | Refusal> {
  for (let attempt = 1;; attempt++) {
    try {
      return await make();
    } catch (error) {
      if (attempt === 1 && error instanceof FileError && error.reason === "changed") continue;
      return refuseFailure(error, path, log, requestId());
    }
  }
}

async function refuse(
  context: StaticContext,
  refusal: Refusal,
  request: Request,
  path: string,
): Promise<Response | undefined> {
  const { status } = refusal;
  if (context.fallthrough && (status === 404 || status === 405 || status === 501)) return undefined;
  let response: Response | null = null;
  if (status === 404) {
    // A page that cannot be read gives way to the built-in one.
    response = await notFoundPage(context, request).catch(() => null);
  }
  response ??= await renderRefusal(refusal, request, context.renderError, context.log);
  context.applyHeaders?.(response.headers, path, false);
  return response;
}

/** RFC 9110 section 9.3.7. */
function optionsResponse(context: StaticContext, path: string): Response {
  const headers = new Headers({ allow: ALLOWED });
  context.applyHeaders?.(headers, path, false);
  return respond(204, headers, null);
}
