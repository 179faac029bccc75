/**
 * HTTP on Bun.
 *
 * @module
 */

import type { Network } from "../../src/runtime.ts";
import { addresses } from "../shared/node_addresses.ts";
import { listen } from "../shared/node_http/listener.ts";
import { completeTextResponses } from "./text_responses.ts";

/** Serving HTTP on Bun. */
export const network: Network = {
  addresses,
  listen(handler, options) {
    completeTextResponses();
    return listen(handler, options);
  },
};
