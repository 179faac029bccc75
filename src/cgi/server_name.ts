/**
 * The host a request was meant for: SERVER_NAME (RFC 3875 section 4.1.14).
 *
 * @module
 */

import { type HostAndPort, parseHost } from "../host.ts";
import { plainAddress } from "./ip_address.ts";

/**
 * The host that a request names: in its target (the URL, where the runtime tells) before in its `Host` field, and
 * `null` when in neither. `localhost` without such a field is what runtimes fill in for HTTP/1.0.
 */
export function requestedHost(
  request: { readonly headers: Pick<Headers, "get"> },
  url: URL,
): HostAndPort | null {
  const field = request.headers.get("host") ?? "";
  if (field === "" && url.hostname === "localhost") return null;
  const said = field === "" ? null : parseHost(field);
  if (field !== "" && said === null) return null;
  // The same, for most.
  if (said !== null && url.host === field) return said;
  const target = parseHost(url.host);
  if (target === null || target.host === said?.host) return said ?? target;
  return target;
}

/** A host for SERVER_NAME from the address of a socket. */
export function addressAsHost(address: string): string {
  const plain = plainAddress(address).replace(/%.*$/, "").toLowerCase();
  return plain.includes(":") ? `[${plain}]` : plain;
}
