/**
 * A socket that whoever has started this process has opened for it: systemd's socket activation, sd_listen_fds(3).
 *
 * @module
 */

import type { Runtime } from "../runtime.ts";
import { StartError } from "./start_error.ts";

/** The first one's number, by that protocol. */
const FIRST = 3;

/**
 * Its number, or `null` when there is none for this process.
 *
 * @throws {StartError} When it cannot be served.
 */
export function inheritedSocket(
  { name, network, processes, terminal }: Pick<Runtime, "name" | "network" | "processes" | "terminal">,
): number | null {
  const { environment } = processes;
  const count = Number(environment("LISTEN_FDS") ?? 0);
  // The variables may be meant for the one that has started this process.
  if (Number(environment("LISTEN_PID")) !== terminal.pid || count === 0) return null;
  if (count > 1) throw new StartError(`LISTEN_FDS: ${count} sockets were handed over: name one in the unit`);
  if (!network.takesSockets) {
    throw new StartError(
      `LISTEN_FDS: ${name} cannot serve a socket that was handed over: use Node, or systemd-socket-proxyd`,
    );
  }
  return FIRST;
}
