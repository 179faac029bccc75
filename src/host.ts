/**
 * The `Host` field: who a request is meant for, or nobody.
 *
 * @module
 */

/** A host and, where one was said, a port. */
export interface HostAndPort {
  /** In lower case; an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number | null;
}

/**
 * Takes a `Host` value apart (RFC 9110 section 7.2), or `null` when it is not one. Stricter than the grammar: what has
 * a meaning in a URL, in HTML or in a shell cannot be part of a name.
 */
export function parseHost(value: string): HostAndPort | null {
  const match = /^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::(\d{0,5}))?$/.exec(
    value,
  );
  if (match === null) return null;
  const [, host = "", digits = ""] = match;
  if (host.startsWith("[") && !isIpv6(host)) return null;
  const port = digits === "" ? null : Number(digits);
  if (port !== null && port > 65535) return null;
  return { host: host.toLowerCase(), port };
}

/**
 * Whether the request's `Host` is present and not a host, which RFC 9112 section 3.2 wants answered 400. Runtimes make
 * the URL of it: with `Host: x/cgi-bin/admin?` this server would see another path than a proxy before it. A request
 * without one is HTTP/1.0's.
 */
export function hasInvalidHost({ headers }: { readonly headers: Pick<Headers, "get"> }): boolean {
  const host = headers.get("host");
  // Most ask for the same one as the one before.
  if (host === null || host === "" || host === validHost) return false;
  if (parseHost(host) === null) return true;
  validHost = host;
  return false;
}

let validHost = "";

function isIpv6(host: string): boolean {
  try {
    new URL(`http://${host}/`);
    return true;
  } catch {
    return false;
  }
}
