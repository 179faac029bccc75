/**
 * Why a socket could not be opened, in the same words on every runtime.
 *
 * @module
 */

import { ListenError, type ListenErrorReason, type ListenOptions } from "../../src/runtime.ts";

const REASONS: ReadonlyMap<string, ListenErrorReason> = new Map([
  ["EADDRINUSE", "in-use"],
  ["EACCES", "denied"],
  ["EPERM", "denied"],
  ["EADDRNOTAVAIL", "unavailable"],
  ["EAFNOSUPPORT", "unavailable"],
  ["ENOTFOUND", "unavailable"],
  // What Deno makes of an address of another machine.
  ["EINVAL", "unavailable"],
  ["EAI_AGAIN", "unavailable"],
]);

/** What a system error code means for listening. */
export function listenErrorReason(code: unknown): ListenErrorReason {
  return REASONS.get(String(code)) ?? "failed";
}

/** Makes the error; `cause` is what the runtime said. */
export function listenError(
  reason: ListenErrorReason,
  options: Pick<ListenOptions, "hostname" | "port">,
  cause: unknown,
): ListenError {
  return new ListenError(reason, describe(reason, options, cause), { cause });
}

function describe(
  reason: ListenErrorReason,
  { hostname, port }: Pick<ListenOptions, "hostname" | "port">,
  cause: unknown,
): string {
  const detail = cause instanceof Error ? cause.message : String(cause);
  switch (reason) {
    case "in-use":
      return `Port ${port} on ${hostname} is already in use`;
    case "denied":
      return `Port ${port} on ${hostname} may not be used by this process: ${detail}`;
    case "unavailable":
      return `Cannot listen on ${hostname}: it is not an address of this machine`;
    case "tls":
      return `Cannot use the TLS certificate and key: ${detail}`;
    case "failed":
      return `Cannot listen on port ${port} of ${hostname}: ${detail}`;
  }
}
