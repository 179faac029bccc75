/**
 * A server that goes on accepting where Deno has given up.
 *
 * When a connection cannot be accepted, as when this process has no descriptors left, Deno's `node:net` tells nobody and
 * never accepts another: a client with enough connections would stop the server for good. So while there are many of
 * them and no more come, the server asks itself for one, and listens anew where that comes to nothing.
 *
 * @module
 */

import { connect } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { type Accept, closed, handOver, startListening } from "../shared/node_http/acceptor.ts";
import { reporterOf } from "./accept.ts";

/** Descriptors do not run out with fewer connections than this. */
const MANY = 50;

/** How long no connection may come before that is looked into, and how long one may take then, in milliseconds. */
const PATIENCE = 2000;

/** How many connections to ask for meanwhile. With eight workers, one of these comes here unless it is one time in 2000. */
const ATTEMPTS = 57;

/** Accepts connections for `http`, on another socket if need be. */
export const keepAccepting: Accept = async (http, options, create) => {
  let accepted = 0;
  let isClosing = false;
  const report = reporterOf(options);
  let timer: NodeJS.Timeout | undefined;
  const handover = handOver(http, create, () => {
    accepted++;
    if (handover.open > MANY && timer === undefined) watch();
  });
  let acceptor = handover.createAcceptor();

  function watch(): void {
    const before = accepted;
    timer = setTimeout(() => look(before), PATIENCE);
    timer.unref();
  }
  async function look(before: number): Promise<void> {
    const isQuiet = accepted === before;
    const isDeaf = isQuiet && !await isReachable();
    if (isClosing) return;
    if (isDeaf) await listenAnew();
    timer = undefined;
    // Only while nobody else could come in between is all known to be well.
    if (!isQuiet || isDeaf || handover.open > MANY) watch();
  }
  /** Whether one of some connections to this server's port is accepted here: others may listen on it as well. */
  async function isReachable(): Promise<boolean> {
    const before = accepted;
    for (let count = 0; count < ATTEMPTS && accepted === before; count++) {
      const socket = connect(address.port, address.hostname).on("error", () => {});
      await new Promise((resolve) => setTimeout(resolve, PATIENCE / ATTEMPTS));
      socket.destroy();
    }
    return accepted !== before;
  }
  async function listenAnew(): Promise<void> {
    report();
    acceptor.close();
    acceptor = handover.createAcceptor();
    // Where that fails, it is tried again.
    await startListening(acceptor, { ...options, port: address.port }).catch(() => {});
  }
  const address = await startListening(acceptor, options);
  handover.setListening(true);
  return {
    address,
    async close() {
      isClosing = true;
      handover.setListening(false);
      clearTimeout(timer);
      http.close();
      await closed(acceptor);
      await handover.whenNone();
    },
  };
};
