/**
 * The moment a server is used: what a program that answers one request should not wait for comes after it.
 *
 * @module
 */

import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** What Node publishes each connection to, HTTP/2 and TLS included. */
const CONNECTIONS = "net.server.socket";

/** Calls back once, so many milliseconds after the first connection. Does not keep the process. */
export function afterFirstConnection(milliseconds: number, callback: () => void): void {
  const begin = () => {
    unsubscribe(CONNECTIONS, begin);
    setTimeout(callback, milliseconds).unref();
  };
  subscribe(CONNECTIONS, begin);
}
