/**
 * A server that goes on accepting when Deno has given up.
 *
 * `Deno.serve` ends for good when a connection cannot be accepted, as when this process has no descriptors left, and
 * with it, unhandled, the process: a client with a thousand connections would stop the server. What was accepted before
 * goes on, so all that has to be done is to listen again.
 *
 * @module
 */

import { ListenError } from "../../src/runtime.ts";

/** What of `Deno.HttpServer` is used. */
export interface AcceptingServer {
  readonly addr: Deno.NetAddr;
  /** Accepts no more, and resolves once everything that was accepted has been answered. */
  shutdown(): Promise<void>;
}

/** From a failure to the next attempt, in milliseconds: connections have to end before others can begin. */
const PAUSES = [50, 100, 200, 400, 800] as const;

/** How often a failure that lasts is reported, in milliseconds. */
const REPORT_INTERVAL = 10_000;

/** Opens a server, and again on the same port whenever it fails; `open` gets the port then, and `null` at first. */
export function keepAccepting(
  open: (port: number | null) => Deno.HttpServer<Deno.NetAddr>,
  onError: (error: unknown) => void,
): AcceptingServer {
  const servers: Deno.HttpServer<Deno.NetAddr>[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closing = false;
  let failures = 0;
  let failed = -Infinity;
  let reported = -Infinity;
  function add(server: Deno.HttpServer<Deno.NetAddr>): void {
    servers.push(server);
    server.finished.catch(fail);
  }
  function fail(error: unknown): void {
    if (closing) return;
    const now = performance.now();
    if (now - reported > REPORT_INTERVAL) {
      reported = now;
      onError(cannotAccept(error));
    }
    failures = now - failed > REPORT_INTERVAL ? 0 : failures + 1;
    failed = now;
    timer = setTimeout(retry, PAUSES[failures] ?? PAUSES.at(-1));
  }
  function retry(): void {
    try {
      add(open(addr.port));
    } catch (error) {
      fail(error);
    }
  }
  add(open(null));
  const [{ addr }] = servers as [Deno.HttpServer<Deno.NetAddr>];
  return {
    addr,
    async shutdown() {
      closing = true;
      clearTimeout(timer);
      // One that has failed still waits for what it had accepted.
      await Promise.all(servers.map((server) => server.shutdown().catch(() => {})));
    },
  };
}

function cannotAccept(error: unknown): Error {
  const what = error instanceof Error ? error.message : String(error);
  return new ListenError(
    "failed",
    `Cannot accept connections (raise the limit, ulimit -n, if these are too many): ${what}`,
    { cause: error },
  );
}
