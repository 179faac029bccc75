/**
 * What an address to listen on means for who can come in.
 *
 * @module
 */

/** Whether it can be reached from this machine only. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^(::ffff:)?127(\.\d+){3}$/i.test(hostname);
}

/** Whether it stands for all addresses that the machine has. */
export function isEvery(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}
