/**
 * The answer to those who ask whether the server is well: load balancers, orchestrators.
 *
 * @module
 */

import type { AtOnce, PreparedResponse } from "./at_once.ts";
import { errorPage } from "./error_page.ts";
import type { Handler } from "./handler.ts";
import { respond } from "./response.ts";

/** A handler for probes. */
export interface HealthHandler extends Handler {
  /** From now on it answers 503: nobody new is to be sent here. */
  drain(): void;
}

/**
 * Makes a handler that answers 200 as long as this server takes requests, and 503 once `drain()` was called. For a route
 * of its own, in front of passwords.
 *
 * @example
 * ```ts
 * import { health, type HealthHandler, route, staticFiles } from "htbin";
 *
 * const probe: HealthHandler = health();
 * const handler = route([["/healthz", probe], ["/*", staticFiles({ root: "examples/site" })]]);
 * const ask = async () => (await handler(new Request("http://localhost/healthz")))?.status;
 * console.assert(await ask() === 200);
 * probe.drain();
 * console.assert(await ask() === 503);
 * ```
 */
export function health(): HealthHandler {
  let answer = WELL;
  const atOnce: AtOnce = ({ method }) => method === "HEAD" ? { ...answer, body: null } : answer;
  function handleHealth(request: Request): Response | Promise<Response> {
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") {
      return errorPage({ status: 405, headers: { allow: "GET, HEAD" }, request });
    }
    const { status, headers, body } = answer;
    return respond(status, new Headers(headers), method === "HEAD" ? null : body);
  }
  return Object.assign(handleHealth, { atOnce, drain: () => void (answer = STOPPING) });
}

interface Answer extends PreparedResponse {
  readonly headers: Readonly<Record<string, string>>;
}

const WELL = plainText(200, "ok\n");
const STOPPING = plainText(503, "stopping\n");

function plainText(status: number, text: string): Answer {
  const body = new TextEncoder().encode(text);
  const headers = {
    "cache-control": "no-store",
    "content-length": String(body.length),
    "content-type": "text/plain; charset=utf-8",
  };
  return { status, headers, body };
}
