/**
 * Workers in place of a server of one's own.
 *
 * @module
 */

import { createQueue } from "../../cgi/queue.ts";
import { resolveSettings } from "../../cgi/settings.ts";
import type { Runtime, Workers } from "../../runtime.ts";
import { scriptOptions } from "../../site_options.ts";
import type { Settings } from "../settings.ts";
import { inheritedSocket } from "../inherited_socket.ts";
import { UsageError } from "../usage_error.ts";
import { type LoggedSite, openSite, type Started } from "../open.ts";
import type { SettingsFile } from "../sources.ts";
import { startFleet } from "./fleet.ts";

/**
 * Lets workers open the port for a site.
 *
 * @throws {UsageError} When the flags ask for something impossible.
 * @throws {StartError | ListenError} When the server cannot start.
 */
export async function openFleet(
  workers: Workers,
  runtime: Runtime,
  settings: Settings,
  options: LoggedSite,
  file: SettingsFile | null,
): Promise<Started> {
  if (inheritedSocket(runtime) !== null) {
    throw new UsageError("--workers: a socket that was handed over (LISTEN_FDS) is served by one worker");
  }
  // Alone at first: two servers that share ports would not notice that they take each other's.
  const trial = await openSite(runtime, settings, options);
  await trial.server.close(0);
  const { limits } = resolveSettings(scriptOptions(options), runtime.processes.processors);
  const { port } = trial.server.address;
  const hide = options.static?.hide ?? [];
  const fleet = await startFleet({
    workers,
    count: settings.workers,
    orders: () => ({ port, file, hide, secrets: trial.secrets() }),
    queue: createQueue(limits),
    log: options.log,
  });
  function close(graceMs?: number): Promise<void> {
    fleet.stop(graceMs);
    return fleet.ended;
  }
  return {
    ...trial,
    server: { ...trial.server, close },
    site: { close: () => fleet.ended },
    drain: fleet.drain,
    async reload() {
      // What cannot be used is found out here, and no worker hears of it.
      await trial.reload();
      fleet.share(trial.secrets());
    },
  };
}
