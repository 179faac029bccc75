/**
 * HTTP on Deno.
 *
 * @module
 */

import { isIP } from "node:net";
import type { ListenOptions, Network } from "../../src/runtime.ts";
import { listenError } from "../shared/listen_error.ts";
import type { Accept } from "../shared/node_http/acceptor.ts";
import { listen } from "../shared/node_http/listener.ts";
import { reachableAddresses } from "../shared/own_addresses.ts";
import { acceptNatively } from "./accept.ts";
import { keepAccepting } from "./keep_accepting.ts";
import { mendedTls } from "./mend_tls.ts";
import { hasLibrary } from "./c_library.ts";
import { sendFile, sendNow } from "./connection_socket.ts";
import { tellOfCutRequests } from "./cut_requests.ts";
import { isGranted } from "./permissions.ts";
import { useTurns } from "./turns.ts";

/** Serving HTTP on Deno. */
export const network: Network = {
  addresses() {
    return isGranted({ name: "sys", kind: "networkInterfaces" })
      ? reachableAddresses(Deno.networkInterfaces())
      : [];
  },
  async listen(handler, options) {
    await demandNet(options);
    const listener = await listen(handler, options, {
      accept(http, ...rest) {
        tellOfCutRequests(http);
        return acceptFor(options)(http, ...rest);
      },
      skipsParser: options.tls === undefined,
      sendFile,
      sendNow,
    });
    const release = useTurns();
    return {
      ...listener,
      close(graceMs) {
        const closed = listener.close(graceMs);
        void closed.finally(release);
        return closed;
      },
    };
  },
};

/**
 * `node:tls` wants sockets of `node:net`. Several threads on one port are open to `node:net`, to others only with
 * `--unstable-net`.
 */
function acceptFor({ tls, shared }: ListenOptions): Accept {
  if (tls !== undefined) return (http, options, create) => keepAccepting(http, options, mendedTls(create));
  return !shared && hasLibrary() ? acceptNatively : keepAccepting;
}

/** Deno's `node:net` throws what it refuses where nobody can catch it. It asks for the address that a name stands for. */
async function demandNet({ hostname, port }: ListenOptions): Promise<void> {
  if (isGranted({ name: "net" })) return;
  // What does not resolve cannot be listened on either.
  const address = isIP(hostname) !== 0 ? hostname : await resolved(hostname);
  if (address === null) return;
  const host = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  if (isGranted({ name: "net", host })) return;
  const cause = new Error(`Deno was not started with --allow-net=${host}`);
  throw listenError("denied", { hostname, port }, cause);
}

async function resolved(hostname: string): Promise<string | null> {
  try {
    const { lookup } = await import("node:dns/promises");
    return (await lookup(hostname)).address;
  } catch {
    return null;
  }
}
