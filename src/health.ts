/**
 * The answer to those who ask whether the server is well: load balancers, orchestrators.
 *
 * @module
 */

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
  let isDraining = false;
  function handleHealth(request: Request): Response | Promise<Response> {
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") {
      return errorPage({ status: 405, headers: { allow: "GET, HEAD" }, request });
    }
    const body = new TextEncoder().encode(isDraining ? "stopping\n" : "ok\n");
    const headers = new Headers({
      "cache-control": "no-store",
      "content-length": String(body.length),
      "content-type": "text/plain; charset=utf-8",
    });
    return respond(isDraining ? 503 : 200, headers, method === "HEAD" ? null : body);
  }
  return Object.assign(handleHealth, { drain: () => void (isDraining = true) });
}
