/**
 * A handler for other people's servers.
 *
 * @module
 */

import { checkOptions, either, hook, list, map, type Shape, text } from "./check_options.ts";
import { preparedHeaders, type PreparedResponse } from "./at_once.ts";
import { errorAnswer, errorRenderer, type RenderError } from "./error_page.ts";
import type { Handler } from "./handler.ts";
import { consoleLog } from "./log/console.ts";
import type { Log } from "./log/events.ts";
import { type CompleteHandler, completeHandler, showErrorSafely } from "./complete_handler.ts";
import { connectionFrom } from "./server_bindings.ts";
import { withHeaders } from "./with_headers.ts";

/** What is said of every answer, whatever the server. */
export interface FetchOptions {
  /**
   * The page for what the handler passes on, and for a handler that fails. `serve()` also asks for those of what is no
   * request, such as 400, before the first one: with a GET request of nobody's. @default {errorPage}
   */
  readonly renderError?: RenderError;
  /**
   * Headers of every response, error pages included, as {@linkcode withHeaders} puts them: `{ server: "example/1.0" }`.
   * htbin sends no `Server` of its own. @default {{}}
   */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[];
  /** Gets an event for each request and each failure. @default {failures to console.error} */
  readonly log?: Log;
}

/** What each of these options may be. */
export const FETCH_OPTIONS: Shape<FetchOptions> = {
  renderError: hook,
  headers: either(list(list(text)), map(text)),
  log: hook,
};

/**
 * A fetch function, as servers take it. `info` is whatever the server says beside the request.
 *
 * @example
 * ```ts
 * import { type Fetch, toFetch } from "htbin";
 *
 * const fetch: Fetch = toFetch(() => new Response("Hello"));
 * const response = await fetch(new Request("http://localhost/"));
 * console.assert(await response.text() === "Hello");
 * ```
 */
export type Fetch = (request: Request, info?: unknown) => Promise<Response>;

/**
 * Makes a fetch function of a handler, for a server other than {@linkcode serve}: Deno's, Bun's (also as one of its
 * `routes`), srvx, `@hono/node-server`. It always answers, as `serve()` does: 404 where the handler passes on, 500 and
 * a line in the log where it fails. What the server says of the connection is understood, so that scripts are told
 * `REMOTE_ADDR`.
 *
 * @throws {TypeError} For an unknown option.
 *
 * @example
 * ```ts
 * import { type FetchOptions, staticFiles, toFetch } from "htbin";
 *
 * const options: FetchOptions = { headers: { server: "example/1.0" } };
 * const fetch = toFetch(staticFiles({ root: "examples/site" }), options);
 * const response = await fetch(new Request("http://localhost/nowhere"));
 * console.assert(response.status === 404);
 * ```
 */
export function toFetch(handler: Handler, options: FetchOptions = {}): Fetch {
  checkOptions("toFetch()", options, FETCH_OPTIONS);
  const { handle } = completeWith(handler, options);
  return (request, info) => handle(request, connectionFrom(request, info));
}

/** A handler completed with options. */
export interface Completed {
  readonly handle: CompleteHandler;
  /** The log that the options name. */
  readonly log: Log;
  /** For what is no request: see `ListenOptions`. */
  readonly refuse: (status: number) => Promise<PreparedResponse>;
}

/** What the default error page is told it answers where there is no request. */
const NOBODYS = { method: "GET", headers: { get: () => null } } as unknown as Pick<
  Request,
  "method" | "headers"
>;

/** Completes it. */
export function completeWith(
  handler: Handler,
  options: FetchOptions,
): Completed {
  const { log = consoleLog(), headers = [] } = options;
  const showError = errorRenderer(options.renderError);
  const handle = completeHandler(handler, showError, log);
  // What always answers does so with headers, too.
  const isPlain = options.headers === undefined;
  return {
    handle: isPlain ? handle : withHeaders(headers, handle) as CompleteHandler,
    log,
    async refuse(status) {
      if (isPlain && options.renderError === undefined) {
        const { fields, body } = errorAnswer({ status, request: NOBODYS });
        return { status, headers: fields.toRecord(), body };
      }
      const request = new Request("http://localhost/");
      const page = () => showErrorSafely(showError, { status, request });
      const response = isPlain ? await page() : await withHeaders(headers, page)(request) as Response;
      const body = new Uint8Array(await response.arrayBuffer());
      return { status, headers: preparedHeaders(response.headers), body };
    },
  };
}
