/**
 * HTTP on Node.
 *
 * @module
 */

import type { Network } from "../../src/runtime.ts";
import { addresses } from "../shared/node_addresses.ts";
import { listen } from "../shared/node_http/listener.ts";

/** Serving HTTP on Node. */
export const network: Network = {
  addresses,
  listen: (handler, options) => listen(handler, options, undefined, undefined, true),
  takesSockets: true,
};
