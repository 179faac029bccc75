/**
 * A handler for a server of `node:http` that somebody else made.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { checkOptions } from "../../../src/check_options.ts";
import { reportFailure } from "../../../src/complete_handler.ts";
import { completeWith, FETCH_OPTIONS, type FetchOptions } from "../../../src/fetch.ts";
import type { Handler } from "../../../src/handler.ts";
import { networkAddress } from "../address.ts";
import { startExchange } from "./exchange.ts";
import { prepareRefusals } from "./refusal.ts";

/** What `createServer()` of `node:http` and `node:https` takes. */
export type NodeListener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/**
 * Makes a request listener of a handler, for `createServer()` of `node:http` or `node:https`. It always answers, as
 * {@linkcode toFetch} does, and sends bytes, files and streams as `serve()` does.
 *
 * @throws {TypeError} For an unknown option.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { staticFiles } from "htbin";
 * import { type NodeListener, toNodeListener } from "htbin/node";
 *
 * const listener: NodeListener = toNodeListener(staticFiles({ root: "examples/site" }));
 * const server = createServer(listener);
 * server.listen(0, "127.0.0.1", () => server.close());
 * ```
 */
export function toNodeListener(handler: Handler, options: FetchOptions = {}): NodeListener {
  checkOptions("toNodeListener()", options, FETCH_OPTIONS);
  const { handle, log, refuse } = completeWith(handler, options);
  const refusals = prepareRefusals(refuse);
  return (incoming, outgoing) => {
    const { socket } = incoming;
    const ends = {
      remote: networkAddress(socket.remoteAddress, socket.remotePort),
      local: networkAddress(socket.localAddress, socket.localPort),
      // Bun has this property on every socket, Node on TLS sockets alone.
      secure: "encrypted" in socket && socket.encrypted === true,
    };
    const exchange = startExchange(incoming, outgoing, null, ends, {
      handler: handle,
      refusals,
      onError: (error) => reportFailure(error, log),
      sendFile: null,
      sendNow: null,
      isClosing: () => false,
    });
    if (typeof exchange === "string") return;
    socket.on("close", exchange.leave);
    outgoing.on("finish", () => socket.off("close", exchange.leave));
  };
}
