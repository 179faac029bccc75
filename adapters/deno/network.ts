/**
 * HTTP over `Deno.serve`.
 *
 * @module
 */

import type { Handler } from "../../src/handler.ts";
import type { Listener, ListenOptions, Network } from "../../src/runtime.ts";
import { networkAddress } from "../shared/address.ts";
import { isHost } from "../shared/host.ts";
import { listenError, listenErrorReason } from "../shared/listen_error.ts";
import { checkTls } from "../shared/tls.ts";
import { keepAccepting } from "./keep_accepting.ts";
import { deliverable } from "./response.ts";
import { limitSignal, silenceAbortNotice } from "./signal.ts";

/** Serving HTTP on Deno. */
export const network: Network = { listen };

// deno-lint-ignore require-await -- a failure has to be a rejection
async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const tls = checkTls(options);
  const abort = new AbortController();
  const onError = options.onError ?? (() => {});
  const serve = serveWith(handler, tls !== undefined, () => server.addr);
  const server = keepAccepting((port) => {
    return start(options, {
      ...tls,
      hostname: options.hostname,
      port: port ?? options.port,
      signal: abort.signal,
      automaticCompression: false,
      onListen() {},
      onError(error) {
        onError(error);
        return new Response(null, { status: 500 });
      },
    }, serve);
  }, onError);
  const { hostname, port } = server.addr;
  let closing: Promise<void> | null = null;
  return {
    address: { hostname, port },
    close(graceMs) {
      closing ??= server.shutdown();
      if (graceMs !== undefined) {
        const timer = setTimeout(() => abort.abort(), graceMs);
        closing.then(() => clearTimeout(timer));
      }
      return closing;
    },
  };
}

/** What `Deno.serve` takes, and what its published types leave out. */
type ServeOptions = Deno.ServeTcpOptions & Partial<Deno.TlsCertifiedKeyPem> & {
  readonly automaticCompression: boolean;
};

function start(
  where: ListenOptions,
  options: ServeOptions,
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  silenceAbortNotice();
  try {
    return Deno.serve(options, handler);
  } catch (error) {
    throw listenError(reasonOf(error, options), where, error);
  }
}

function reasonOf(error: unknown, { cert }: ServeOptions): ReturnType<typeof listenErrorReason> {
  if (error instanceof Deno.errors.NotCapable) return "denied";
  if (error instanceof Deno.errors.InvalidData && cert !== undefined) return "tls";
  // The resolver's failure has no class and no code.
  if (/failed to lookup address/.test(String(error))) return "unavailable";
  return listenErrorReason((error as { readonly code?: unknown }).code);
}

function serveWith(
  handler: Handler,
  secure: boolean,
  local: () => Deno.NetAddr,
): Deno.ServeHandler<Deno.NetAddr> {
  return async function serve(request, { remoteAddr }) {
    // Deno puts the field before the target to make the URL: `Host: a/secret?` would choose another path.
    const host = request.headers.get("host");
    if (host !== null && !isHost(host)) return new Response(null, { status: 400 });
    const answered = limitSignal(request);
    try {
      const response = await handler(request, {
        remote: networkAddress(remoteAddr.hostname, remoteAddr.port),
        local: { hostname: local().hostname, port: local().port },
        secure,
      });
      return deliverable(request, response ?? new Response(null, { status: 404 }));
    } finally {
      answered();
    }
  };
}
