/**
 * By which URLs a server can be reached.
 *
 * @module
 */

import type { Server } from "../serve.ts";
import { isEvery, isLoopback } from "./address.ts";

/** Those of them that can be opened. */
export interface Urls {
  /** From this machine, or `null` when only the address of a network is listened on. */
  readonly local: string | null;
  /** From others. */
  readonly network: readonly string[];
}

/** Finds them; `addresses` tells this machine's own, as far as they are known. */
export function urlsOf(
  { address, url }: Pick<Server, "address" | "url">,
  addresses: () => readonly string[],
): Urls {
  const { hostname, port } = address;
  const scheme = url.split(":", 1)[0];
  if (isLoopback(hostname)) return { local: url, network: [] };
  if (!isEvery(hostname)) return { local: null, network: [url] };
  const all = addresses();
  const heard = hostname === "::" ? all : all.filter((address) => !address.includes(":"));
  return {
    local: `${scheme}://localhost:${port}/`,
    network: heard.map((address) =>
      `${scheme}://${address.includes(":") ? `[${address}]` : address}:${port}/`
    ),
  };
}
