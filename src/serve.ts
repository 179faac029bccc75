/**
 * A handler on a socket: what `serve()` adds to the runtime's own server.
 *
 * @module
 */

import { checkOptions, hook, needed, number, record, service, type Shape, text } from "./check_options.ts";
import { errorPage, type RenderError } from "./error_page.ts";
import type { Connection, Handler } from "./handler.ts";
import { hasInvalidHost } from "./host.ts";
import { consoleLog } from "./log/console.ts";
import type { AccessEvent, Log, LogEvent } from "./log/events.ts";
import { requestUrl } from "./request_path.ts";
import { BrokenBody } from "./response.ts";
import { currentRuntime, type Listener, ListenError, type Network, type TlsOptions } from "./runtime.ts";

/** What `serve()` takes. */
export interface ServeOptions {
  /** Answers the requests. */
  readonly handler: Handler;
  /** 0 lets the system choose. @default {8000} */
  readonly port?: number;
  /** A name or an address without brackets. `0.0.0.0` and `::` are reachable from other machines. @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** Serve HTTPS. */
  readonly tls?: TlsOptions;
  /** The page for what no handler answers and for a handler that fails. @default {errorPage} */
  readonly renderError?: RenderError;
  /** Gets an event for each request and each failure. @default {failures to console.error} */
  readonly log?: Log;
  /** What opens the socket. @default {the runtime that is running} */
  readonly network?: Network;
}

const SERVE_OPTIONS: Shape<ServeOptions> = {
  handler: needed(hook),
  port: number,
  hostname: text,
  tls: record<TlsOptions>({ cert: needed(text), key: needed(text), passphrase: text }),
  renderError: hook,
  log: hook,
  network: service,
};

/** A running server. */
export interface Server extends Listener {
  /** Where it answers, such as `http://127.0.0.1:8000/`. */
  readonly url: string;
}

/**
 * Serves a handler over HTTP or HTTPS.
 *
 * A request that the handler passes on (`undefined`) is answered 404, a handler that throws 500 and one log line. Each
 * request gets an id: `connection.requestId`, in the log, and `X_REQUEST_ID` for scripts.
 *
 * @throws {ListenError} When the socket cannot be opened: address in use, not allowed, not here, bad certificate.
 *
 * @example
 * ```ts
 * import { serve } from "htbin";
 *
 * const server = await serve({ port: 0, handler: () => new Response("Hello") });
 * console.assert(await (await fetch(server.url)).text() === "Hello");
 * await server.close();
 * ```
 */
export async function serve(options: ServeOptions): Promise<Server> {
  checkOptions("serve()", options, SERVE_OPTIONS);
  const { log = consoleLog(), renderError = errorPage } = options;
  const network = options.network ?? currentRuntime().network;
  const handle = completeHandler(options.handler, renderError, log);
  const listener = await network.listen(handle, {
    hostname: options.hostname ?? "127.0.0.1",
    port: options.port ?? 8000,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    onError(error) {
      if (error instanceof BrokenBody) return;
      log({
        type: "message",
        level: "error",
        source: "server",
        message: error instanceof ListenError ? error.message : `response broken off: ${describe(error)}`,
      });
    },
  });
  return { ...listener, url: listenerUrl(listener, options.tls !== undefined) };
}

/** A handler that always answers, never throws, and logs what it answered. */
function completeHandler(handler: Handler, renderError: RenderError, log: Log): Handler {
  async function dispatch(request: Request, connection: Connection = {}): Promise<Response> {
    // Whoever dispatches may sit below a mount of its own. From here on it is the whole path again.
    const { mount: _mount, ...rest } = connection;
    const inner: Connection = { ...rest, dispatch };
    return await handler(request, inner) ?? await renderError({ status: 404, request });
  }
  return async function handleCompletely(request, connection = {}) {
    const time = new Date();
    const started = performance.now();
    const requestId = connection.requestId ?? crypto.randomUUID();
    let response: Response;
    let clientGone = false;
    try {
      response = hasInvalidHost(request)
        ? await renderError({ status: 400, request })
        : await dispatch(request, { ...connection, requestId });
    } catch (error) {
      // A handler that gives up because the client left has not failed.
      clientGone = request.signal.aborted;
      if (!clientGone) log(failure(request, requestId, error));
      response = errorPage({ status: 500, request });
    }
    log({
      ...accessEvent(request, { ...connection, requestId }, response),
      ...(clientGone && { status: CLIENT_GONE, bytes: null }),
      time,
      durationMs: performance.now() - started,
    });
    return response;
  };
}

/** What nginx logs for a client that left before it was answered. Never sent. */
const CLIENT_GONE = 499;

function failure(request: Request, requestId: string, error: unknown): LogEvent {
  const message = `handler failed for ${request.method} ${target(request)}: ${describe(error)}`;
  return { type: "message", level: "error", source: "server", requestId, message };
}

function accessEvent(
  request: Request,
  connection: Connection & { readonly requestId: string },
  response: Response,
): Omit<AccessEvent, "time" | "durationMs"> {
  return {
    type: "access",
    requestId: connection.requestId,
    remote: connection.remote?.hostname ?? null,
    user: connection.user?.name ?? null,
    method: request.method,
    target: target(request),
    protocol: connection.protocol ?? "HTTP/1.1",
    status: response.status,
    bytes: request.method === "HEAD" ? null : contentLength(response),
    referer: request.headers.get("referer"),
    userAgent: request.headers.get("user-agent"),
  };
}

function target(request: Request): string {
  const { pathname, search } = requestUrl(request);
  return pathname + search;
}

function contentLength(response: Response): number | null {
  const length = response.headers.get("content-length");
  return length === null ? null : Number(length);
}

/** An error in one line. */
function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function listenerUrl(listener: Listener, secure: boolean): string {
  const { hostname, port } = listener.address;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${secure ? "https" : "http"}://${host}:${port}/`;
}
