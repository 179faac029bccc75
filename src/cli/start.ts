/**
 * A server from its start to its end.
 *
 * @module
 */

import type { Runtime } from "../runtime.ts";
import { announcement } from "./announce.ts";
import type { Settings } from "./settings.ts";
import { type LoggedSite, openSite } from "./open.ts";
import type { SettingsFile } from "./sources.ts";
import { untilStopped } from "./stop.ts";

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
  file: SettingsFile | null,
): Promise<number> {
  const announce = await announcement(runtime, settings, options);
  const workers = settings.workers > 1 ? await runtime.workers?.() : undefined;
  const started = workers === undefined
    ? await openSite(runtime, settings, options)
    : await (await import("./workers/open_fleet.ts")).openFleet(workers, runtime, settings, options, file);
  // Before the first line is out: whoever waits for it may send a signal right away.
  const stopped = untilStopped(runtime.terminal, settings, started, options.log);
  await announce(started);
  return await stopped;
}
