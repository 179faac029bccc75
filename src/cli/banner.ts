/**
 * What the command line says when a server has started.
 *
 * @module
 */

import type { NetworkAddress } from "../runtime.ts";

/**
 * Python's first line, which people and scripts wait for and take the URL from. `url` ends with a slash.
 */
export function banner(address: NetworkAddress, url: string): string {
  const protocol = url.startsWith("https:") ? "HTTPS" : "HTTP";
  return `Serving ${protocol} on ${address.hostname} port ${address.port} (${url}) ...`;
}

/** Where a server listens, and which process it is, for programs: one line of JSON. */
export function readyLine({ hostname, port }: NetworkAddress, url: string, pid: number): string {
  return JSON.stringify({ url, hostname, port, pid });
}

/** Whether an address can be reached from this machine only. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^(::ffff:)?127(\.\d+){3}$/i.test(hostname);
}

/** The warning that strangers can come in. */
export function exposure(address: NetworkAddress, runsScripts: boolean): string {
  const every = address.hostname === "0.0.0.0" || address.hostname === "::";
  const where = every ? "every network that this machine is in" : address.hostname;
  const what = runsScripts ? "read this folder AND RUN ITS SCRIPTS" : "read this folder";
  return `REACHABLE FROM OTHER MACHINES: whoever finds port ${address.port} on ${where} can ${what}; ` +
    "--bind 127.0.0.1 keeps it to this machine";
}
