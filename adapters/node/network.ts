/**
 * HTTP on Node.
 *
 * @module
 */

import { Server } from "node:net";
import type { Network } from "../../src/runtime.ts";
import { addresses } from "../shared/node_addresses.ts";
import { type Accept, acceptInFront, startListening } from "../shared/node_http/acceptor.ts";
import { passBodies } from "../shared/node_http/pass_bodies.ts";
import { listen } from "../shared/node_http/listener.ts";

/** Serving HTTP on Node. */
export const network: Network = {
  addresses,
  listen(handler, options) {
    const accept = options.tls === undefined ? acceptItself : acceptInFront;
    return listen(handler, options, { accept, http2: true, skipsParser: true });
  },
  takesSockets: true,
};

/** `close()` of `node:http` would break off what it takes for idle: an answer that it does not send itself. */
const acceptItself: Accept = async (server, options) => {
  passBodies(server, null);
  const address = await startListening(server, options);
  return {
    address,
    async close() {
      await new Promise<void>((resolve) => Server.prototype.close.call(server, () => resolve()));
      // Its timer.
      server.close();
    },
  };
};
