/**
 * What can be said about how a handler runs as a script.
 *
 * @module
 */

import type { RenderError } from "../error_page.ts";
import type { ScriptConnection } from "./connection.ts";
import type { RequestOptions } from "./request.ts";

/** What a fetch handler can ask of the program that runs it, as on other platforms. In Hono it is `c.executionCtx`. */
export interface ScriptContext {
  /** Keeps the program running until the promise is settled. A server may hold the response open until then. */
  waitUntil(promise: Promise<unknown>): void;
  /** Does nothing: there is nobody to pass a request on to. */
  passThroughOnException(): void;
  /** Nothing. */
  // deno-lint-ignore no-explicit-any
  readonly props: any;
}

/**
 * A fetch handler, such as a Hono app's `app.fetch` or a handler of this library. `undefined` is answered 404.
 */
export type ScriptHandler = (
  request: Request,
  connection: ScriptConnection,
  context: ScriptContext,
) => Response | undefined | null | Promise<Response | undefined | null>;

/** Options of `runAsCgi()`. */
export interface RunOptions extends RequestOptions {
  /**
   * Whether the handler sees the path after the script's own: `/users` for `/cgi-bin/app.js/users`, so that its routes
   * are those that it has elsewhere. `Location`, `Content-Location` and the `Path` of cookies are translated back.
   * Otherwise it sees the whole path, and the script's in `connection.mount`. Default: `true`.
   */
  readonly stripScriptName?: boolean;
  /**
   * Write a whole HTTP response (RFC 3875 section 5). Default: when the name of the script begins with `nph-`, which is
   * how servers tell.
   */
  readonly nph?: boolean;
  /** Makes the page for a failure. Default: a plain one, as HTML, JSON or text. */
  readonly renderError?: RenderError;
  /**
   * Told of what the handler throws, what its body fails with, and requests that make no sense. Default: one line to
   * standard error, which servers log.
   */
  readonly onError?: (error: unknown, request: Request | null) => void;
}
