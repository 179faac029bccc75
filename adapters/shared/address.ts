/**
 * Ends of connections as the runtimes name them.
 *
 * @module
 */

import type { NetworkAddress } from "../../src/runtime.ts";

/**
 * The address, or `null` when it is not known. An IPv4 client of a socket that
 * listens on `::` has an IPv4 address.
 */
export function networkAddress(
  hostname: string | undefined,
  port: number | undefined,
): NetworkAddress | null {
  if (hostname === undefined || port === undefined) return null;
  return {
    hostname: hostname.startsWith("::ffff:") && hostname.includes(".") ? hostname.slice(7) : hostname,
    port,
  };
}
