/**
 * HTTP on Deno.
 *
 * @module
 */

import type { Network } from "../../src/runtime.ts";
import { listen } from "../shared/node_http/listener.ts";
import { keepAccepting } from "./keep_accepting.ts";

/** Serving HTTP on Deno. */
export const network: Network = {
  listen: (handler, options) => listen(handler, options, keepAccepting),
};
