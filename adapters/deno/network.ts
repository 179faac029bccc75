/**
 * HTTP on Deno.
 *
 * @module
 */

import type { Network } from "../../src/runtime.ts";
import { listen } from "../shared/node_http/listener.ts";
import { reachableAddresses } from "../shared/own_addresses.ts";
import { keepAccepting } from "./keep_accepting.ts";
import { mendTls } from "./mend_tls.ts";
import { isGranted } from "./permissions.ts";

/** Serving HTTP on Deno. */
export const network: Network = {
  addresses() {
    return isGranted({ name: "sys", kind: "networkInterfaces" })
      ? reachableAddresses(Deno.networkInterfaces())
      : [];
  },
  listen: (handler, options) =>
    listen(handler, options, (server) => {
      if (options.tls !== undefined) mendTls(server);
      return keepAccepting(server, options);
    }),
};
