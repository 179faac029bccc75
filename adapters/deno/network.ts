/**
 * HTTP over `Deno.serve`.
 *
 * @module
 */

import type { Handler } from "../../src/handler.ts";
import type { Listener, ListenOptions, Network } from "../../src/runtime.ts";
import { listenError, listenErrorReason } from "../shared/listen_error.ts";
import { checkTls } from "../shared/tls.ts";
import { exchanges } from "./exchanges.ts";
import { type AcceptingServer, keepAccepting } from "./keep_accepting.ts";
import { BROKEN_OFF } from "./response.ts";
import { silenceAbortNotice } from "./signal.ts";

/** Serving HTTP on Deno. */
export const network: Network = { listen };

// deno-lint-ignore require-await -- a failure has to be a rejection
async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const tls = checkTls(options);
  const onError = (error: unknown) => {
    if (error !== BROKEN_OFF) options.onError?.(error);
  };
  const requests = exchanges(handler, tls !== undefined, () => server.addr);
  const server: AcceptingServer = keepAccepting((port) => {
    return start(options, {
      ...tls,
      hostname: options.hostname,
      port: port ?? options.port,
      automaticCompression: false,
      onListen() {},
      onError(error) {
        onError(error);
        return new Response(null, { status: 500 });
      },
    }, requests.answer);
  }, onError);
  const { hostname, port } = server.addr;
  let closing: Promise<void> | null = null;
  let giveUp = () => {};
  return {
    address: { hostname, port },
    close(graceMs) {
      closing ??= new Promise((resolve) => {
        giveUp = () => setTimeout(resolve, LAST_WRITES);
        server.shutdown().then(resolve);
        if (tls) requests.none().then(giveUp);
      });
      if (graceMs !== undefined) {
        const timer = setTimeout(() => {
          requests.breakOff();
          giveUp();
        }, graceMs);
        closing.then(() => clearTimeout(timer));
      }
      return closing;
    },
  };
}

/**
 * How long connections may take to end once nothing runs on them any more, in milliseconds. Deno's shutdown would wait
 * for ever: over TLS for those that never shake hands, and for a client that does not end its request.
 */
const LAST_WRITES = 250;

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
