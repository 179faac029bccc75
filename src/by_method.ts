/**
 * A handler for each method.
 *
 * @module
 */

import { checkOptions, hook, type Shape } from "./check_options.ts";
import { errorRenderer, type RenderError } from "./error_page.ts";
import type { Handler } from "./handler.ts";
import { unusableMethodStatus } from "./methods.ts";
import { respond } from "./response.ts";

/** Options of {@linkcode byMethod}. */
export interface ByMethodOptions {
  /** Renders the page for a method that has no handler. @default {errorPage} */
  readonly renderError?: RenderError;
}

const OPTIONS: Shape<ByMethodOptions> = { renderError: hook };

/**
 * Makes one handler of one for each method: what Python's `do_GET()`, `do_POST()` are.
 *
 * HEAD is answered as GET, without the body, and OPTIONS with the methods there are, unless they have handlers of their
 * own. Another known method is answered 405, an unknown one 501, both with `Allow`.
 *
 * @throws {TypeError} For a handler that is no function, and for an unknown option.
 *
 * @example
 * ```ts
 * import { byMethod, type ByMethodOptions } from "htbin";
 *
 * const notes: string[] = [];
 * const options: ByMethodOptions = { renderError: ({ status }) => new Response("No.", { status }) };
 * const handler = byMethod({
 *   GET: () => Response.json(notes),
 *   async POST(request) {
 *     notes.push(await request.text());
 *     return new Response(null, { status: 201 });
 *   },
 * }, options);
 * await handler(new Request("http://localhost/", { method: "POST", body: "Milk" }));
 * const response = await handler(new Request("http://localhost/"));
 * console.assert(await response?.text() === '["Milk"]');
 * const refused = await handler(new Request("http://localhost/", { method: "DELETE" }));
 * console.assert(refused?.headers.get("allow") === "GET, HEAD, POST, OPTIONS");
 * ```
 */
export function byMethod(
  handlers: Readonly<Record<string, Handler>>,
  options: ByMethodOptions = {},
): Handler {
  checkOptions("byMethod()", options, OPTIONS);
  const table = new Map(Object.entries(handlers));
  for (const [method, handler] of table) {
    if (typeof handler !== "function") {
      throw new TypeError(`Cannot answer ${method}: its handler must be a function`);
    }
  }
  const allow = allowedMethods(table);
  const showError = errorRenderer(options.renderError);
  return async function handleByMethod(request, connection) {
    const { method } = request;
    const handler = table.get(method) ?? (method === "HEAD" ? table.get("GET") : undefined);
    if (handler !== undefined) {
      const response = await handler(request, connection);
      return response !== undefined && handler !== table.get(method) ? withoutBody(response) : response;
    }
    if (method === "OPTIONS") return respond(204, new Headers({ allow }), null);
    return await showError({ status: unusableMethodStatus(method), headers: { allow }, request });
  };
}

function allowedMethods(table: ReadonlyMap<string, Handler>): string {
  const methods = [...table.keys()].flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]);
  return [...new Set([...methods, "OPTIONS"])].join(", ");
}

async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  const { status, statusText, headers } = response;
  return new Response(null, { status, statusText, headers });
}
