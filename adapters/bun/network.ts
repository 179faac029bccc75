/**
 * HTTP over `Bun.serve`.
 *
 * @module
 */

import type { Handler } from "../../src/handler.ts";
import type { Listener, ListenOptions, Network } from "../../src/runtime.ts";
import { listenError, listenErrorReason } from "../shared/listen_error.ts";

/** Serving HTTP on Bun. */
export const network: Network = { listen };

// deno-lint-ignore no-explicit-any -- declared properly with the next revision
const { Bun } = globalThis as any;

// deno-lint-ignore require-await -- a failure must be a rejection
async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const { hostname, port, tls, onError } = options;
  const secure = tls !== undefined;
  // deno-lint-ignore no-explicit-any -- as above
  let server: any;
  try {
    server = Bun.serve({
      hostname,
      port,
      ...(tls && { tls }),
      idleTimeout: 0,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      error(error: unknown) {
        onError?.(error);
        return new Response(null, { status: 500 });
      },
      async fetch(request: Request) {
        const remote = server.requestIP(request);
        const response = await handler(request, {
          remote: remote && { hostname: remote.address, port: remote.port },
          local: { hostname: server.hostname, port: server.port },
          secure,
        });
        return response ?? new Response(null, { status: 404 });
      },
    });
  } catch (error) {
    throw listenError(listenErrorReason((error as { code?: unknown }).code), options, error);
  }
  return {
    address: { hostname: server.hostname, port: server.port },
    async close(graceMs) {
      const timer = graceMs === undefined ? undefined : setTimeout(() => server.stop(true), graceMs);
      await server.stop(false);
      clearTimeout(timer);
    },
  };
}
