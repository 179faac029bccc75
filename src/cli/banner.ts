/**
 * What the command line says when a server has started.
 *
 * @module
 */

import type { NetworkAddress } from "../runtime.ts";
import type { Server } from "../serve.ts";
import { isEvery } from "./address.ts";
import type { Urls } from "./urls.ts";

/**
 * Python's first line, which people and scripts wait for and take the URL from. `url` ends with a slash.
 */
export function banner(address: NetworkAddress, url: string): string {
  const protocol = url.startsWith("https:") ? "HTTPS" : "HTTP";
  return `Serving ${protocol} on ${address.hostname} port ${address.port} (${url}) ...`;
}

/** Where a server listens, and which process it is, for programs: one line of JSON. */
export function readyLine(
  { address, url }: Pick<Server, "address" | "url">,
  urls: Urls,
  pid: number,
): string {
  const { hostname, port } = address;
  return JSON.stringify({
    url,
    urls: [...urls.local ? [urls.local] : [], ...urls.network],
    hostname,
    port,
    pid,
  });
}

/** The warning that strangers can come in. */
export function exposure(address: NetworkAddress, runsScripts: boolean, hasPasswords: boolean): string {
  const where = isEvery(address.hostname) ? "every network that this machine is in" : address.hostname;
  const who = hasPasswords ? "knows a password and finds" : "finds";
  const what = runsScripts ? "read this folder AND RUN ITS SCRIPTS" : "read this folder";
  return `REACHABLE FROM OTHER MACHINES: whoever ${who} port ${address.port} on ${where} can ${what}; ` +
    "--bind 127.0.0.1 keeps it to this machine";
}
