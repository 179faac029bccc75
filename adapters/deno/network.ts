/**
 * HTTP over `Deno.serve`.
 *
 * @module
 */

import type { Handler } from "../../src/handler.ts";
import type { Listener, ListenOptions, Network } from "../../src/runtime.ts";
import { listenError } from "../shared/listen_error.ts";

/** Serving HTTP on Deno. */
export const network: Network = { listen };

// deno-lint-ignore require-await -- a failure must be a rejection
async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const { hostname, port, tls, onError } = options;
  const secure = tls !== undefined;
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({
      hostname,
      port,
      ...(tls && { cert: tls.cert, key: tls.key }),
      automaticCompression: false,
      onListen() {},
      onError(error) {
        onError?.(error);
        return new Response(null, { status: 500 });
      },
    }, async (request, info) => {
      const response = await handler(request, {
        remote: info.remoteAddr,
        local: server.addr,
        secure,
      });
      return response ?? new Response(null, { status: 404 });
    });
  } catch (error) {
    throw listenError(error instanceof Deno.errors.AddrInUse ? "in-use" : "failed", options, error);
  }
  return {
    address: { hostname: server.addr.hostname, port: server.addr.port },
    async close() {
      await server.shutdown();
    },
  };
}
