/**
 * The `Host` field, as far as a server must understand it to know what it is asked for.
 *
 * @module
 */

/**
 * Whether the value is a host with or without a port. A server must refuse what
 * is not (RFC 9112 section 3.2): such a field could hold a path, and make this
 * server see another one than a proxy before it.
 */
export function isHost(value: string): boolean {
  if (!HOST.test(value)) return false;
  // Looks like an address or a port and may be none: `256.0.0.1`, `[:::]`, `a:99999`.
  return PLAIN.test(value) || URL.canParse(`http://${value}`);
}

/** `uri-host [ ":" port ]` of RFC 3986, without the oddities that no host name has. */
const HOST = /^(?:[\w.~-]+|\[[\da-fA-F:.]+\])(?::\d{0,5})?$/;

/** What needs no second look. A label in Punycode does: it may stand for nothing. */
const PLAIN = /^(?!.*xn--)(?:localhost|127\.0\.0\.1|(?:[a-z\d-]+\.)*[a-z][a-z-]*)(?::[0-5]?\d{0,4})?$/;
