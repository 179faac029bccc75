/**
 * HTTP on Bun.
 *
 * @module
 */

import { ListenError, type Network } from "../../src/runtime.ts";
import { listenError } from "../shared/listen_error.ts";
import { addresses } from "../shared/node_addresses.ts";
import { listen } from "../shared/node_http/listener.ts";
import { completeTextResponses } from "./text_responses.ts";

/** Serving HTTP on Bun. */
export const network: Network = {
  addresses,
  async listen(handler, options) {
    completeTextResponses();
    try {
      return await listen(handler, options);
    } catch (error) {
      if (!(error instanceof ListenError) || error.reason !== "failed") throw error;
      // For a name that does not resolve, Bun has whatever number the last error had.
      if (await isName(options.hostname)) throw error;
      throw listenError("unavailable", options, error);
    }
  },
};

async function isName(hostname: string): Promise<boolean> {
  try {
    const { lookup } = await import("node:dns/promises");
    await lookup(hostname);
    return true;
  } catch {
    return false;
  }
}
