/**
 * A handler on a socket: what `serve()` adds to the runtime's own server.
 *
 * @module
 */

import {
  checkOptions,
  flag,
  hook,
  needed,
  number,
  record,
  service,
  type Shape,
  text,
} from "./check_options.ts";
import { reportFailure } from "./complete_handler.ts";
import { completeWith, FETCH_OPTIONS, type FetchOptions } from "./fetch.ts";
import type { Handler } from "./handler.ts";
import { currentRuntime, type Listener, type Network, type TlsOptions } from "./runtime.ts";

/** What `serve()` takes. */
export interface ServeOptions extends FetchOptions {
  /** Answers the requests. */
  readonly handler: Handler;
  /** 0 lets the system choose. @default {8000} */
  readonly port?: number;
  /** A name or an address without brackets. `0.0.0.0` and `::` are reachable from other machines. @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** Serve HTTPS. */
  readonly tls?: TlsOptions;
  /** Offer HTTP/2 beside HTTP/1.1 over TLS, on a runtime that can: Node. @default {true} */
  readonly http2?: boolean;
  /** Let other workers of this program listen on the same port: see {@linkcode Workers}. @default {false} */
  readonly shared?: boolean;
  /** A socket that listens already, in place of `hostname` and `port`: see `ListenOptions`. */
  readonly socket?: number;
  /** What opens the socket. @default {the runtime that is running} */
  readonly network?: Network;
}

const SERVE_OPTIONS: Shape<ServeOptions> = {
  ...FETCH_OPTIONS,
  handler: needed(hook),
  port: number,
  hostname: text,
  http2: flag,
  shared: flag,
  socket: number,
  tls: record<TlsOptions>({ cert: needed(text), key: needed(text), passphrase: text }),
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
 * import { serve, type ServeOptions, type Server } from "htbin";
 *
 * const options: ServeOptions = { port: 0, handler: () => new Response("Hello") };
 * const server: Server = await serve(options);
 * console.assert(await (await fetch(server.url)).text() === "Hello");
 * await server.close();
 * ```
 */
export async function serve(options: ServeOptions): Promise<Server> {
  checkOptions("serve()", options, SERVE_OPTIONS);
  const network = options.network ?? currentRuntime().network;
  const { handle, log, refuse } = completeWith(options.handler, options);
  const listener = await network.listen(handle, {
    hostname: options.hostname ?? "127.0.0.1",
    port: options.port ?? 8000,
    shared: options.shared ?? false,
    http2: options.http2 ?? true,
    ...(options.socket === undefined ? {} : { socket: options.socket }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    onError: (error) => reportFailure(error, log),
    refuse,
  });
  return { ...listener, url: listenerUrl(listener, options.tls !== undefined) };
}

function listenerUrl(listener: Listener, secure: boolean): string {
  const { hostname, port } = listener.address;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${secure ? "https" : "http"}://${host}:${port}/`;
}
