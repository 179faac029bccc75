/**
 * The addresses of this machine, on Node and Bun.
 *
 * @module
 */

import { reachableAddresses } from "./own_addresses.ts";
import { os } from "./part.ts";

/** As `Network.addresses`. */
export function addresses(): readonly string[] {
  try {
    return reachableAddresses(Object.values(os().networkInterfaces()).flatMap((list) => list ?? []));
  } catch {
    // Some systems do not let everybody ask.
    return [];
  }
}
