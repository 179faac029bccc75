/**
 * A server from its start to its end.
 *
 * @module
 */

import type { Runtime } from "../runtime.ts";
import { announcement } from "./announce.ts";
import type { Settings } from "./settings.ts";
import { type LoggedSite, openSite } from "./open.ts";
import { untilStopped } from "./stop.ts";
import { openFleet } from "./workers/open_fleet.ts";
import { work } from "./workers/work.ts";

/**
 * Serves a site until a signal ends it. Resolves with the exit status.
 *
 * @throws {UsageError} When the flags ask for something impossible.
 * @throws {StartError | ListenError | TypeError} When the server cannot start.
 */
export async function serveUntilStopped(
  runtime: Runtime,
  settings: Settings,
  options: LoggedSite,
): Promise<number> {
  const workers = settings.workers > 1 ? await runtime.workers?.() : undefined;
  if (workers?.starter) return await work(workers.starter, runtime, settings, options);
  const announce = await announcement(runtime, settings, options);
  const started = workers === undefined
    ? await openSite(runtime, settings, options)
    : await openFleet(workers, runtime, settings, options);
  // Workers take their time themselves.
  const ownSettings = workers === undefined ? settings : { ...settings, drainMs: 0 };
  // Before the first line is out: whoever waits for it may send a signal right away.
  const stopped = untilStopped(runtime.terminal, ownSettings, started);
  await announce(started);
  return await stopped;
}
