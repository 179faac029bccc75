/**
 * HTTP on Bun.
 *
 * @module
 */

import { ListenError, type Network } from "../../src/runtime.ts";
import { listenError } from "../shared/listen_error.ts";
import { addresses } from "../shared/node_addresses.ts";
import { type Accept, acceptInFront } from "../shared/node_http/acceptor.ts";
import { listen, type Means } from "../shared/node_http/listener.ts";
import { passBodies } from "../shared/node_http/pass_bodies.ts";
import { sendFile, sendNow, systemCalls } from "./c_library.ts";
import { watchUploads } from "./uploads.ts";
import { completeTextResponses } from "./text_responses.ts";

/** Serving HTTP on Bun. */
export const network: Network = {
  addresses,
  async listen(handler, options) {
    completeTextResponses();
    try {
      return await listen(handler, options, means);
    } catch (error) {
      if (!(error instanceof ListenError) || error.reason !== "failed") throw error;
      // For a name that does not resolve, Bun has whatever number the last error had.
      if (await isName(options.hostname)) throw error;
      throw listenError("unavailable", options, error);
    }
  },
};

/**
 * Bun's own server parses HTTP by itself, and gives no socket to stand before the parser; for connections that others
 * accept it has the parser of Node.
 */
const accept: Accept = (http, options, create) => {
  const watch = watchUploads(http);
  passBodies(http, options.tls === undefined ? systemCalls : null);
  return acceptInFront(http, options, (onReady) =>
    create((socket) => {
      // A head is text: it is written without saying that its characters are bytes.
      socket.setDefaultEncoding("latin1");
      onReady(socket);
      watch(socket);
    }));
};

/** What is good for Bun. */
export const means: Means = { accept, skipsParser: true, sendFile, sendNow, ignoresHeadTime: true };

async function isName(hostname: string): Promise<boolean> {
  try {
    const { lookup } = await import("node:dns/promises");
    await lookup(hostname);
    return true;
  } catch {
    return false;
  }
}
