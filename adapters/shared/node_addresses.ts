/**
 * The addresses of this machine, on Node and Bun.
 *
 * @module
 */

import { networkInterfaces } from "node:os";
import { reachableAddresses } from "./own_addresses.ts";

/** As `Network.addresses`. */
export function addresses(): readonly string[] {
  try {
    return reachableAddresses(Object.values(networkInterfaces()).flatMap((list) => list ?? []));
  } catch {
    // Some systems do not let everybody ask.
    return [];
  }
}
