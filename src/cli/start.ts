/**
 * A server from its start to its end.
 *
 * @module
 */

import { describeUser, resolveUser } from "../cgi/user.ts";
import type { Runtime } from "../runtime.ts";
import { runsScripts, scriptOptions, type SiteOptions } from "../site.ts";
import { banner, exposure, isLoopback, readyLine } from "./banner.ts";
import type { Settings } from "./settings.ts";
import { DEFAULT_PORT, type LoggedSite, openSite } from "./open.ts";
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
  const { log } = options;
  const notices = runsScripts(options) ? await scriptNotices(runtime, options) : [];
  const { server, site } = workers === undefined
    ? await openSite(runtime, settings, options)
    : await openFleet(workers, runtime, settings, options);
  // Before the first line is out: whoever waits for it may send a signal right away.
  const stopped = untilStopped(runtime.terminal, settings.graceMs, server, site);
  const { address, url } = server;
  const first = settings.readyJson ? readyLine(address, url, runtime.terminal.pid) : banner(address, url);
  await runtime.terminal.stdout(`${first}\n`);
  if (settings.port === null && server.address.port !== DEFAULT_PORT) {
    notices.unshift(`port ${DEFAULT_PORT} is in use, so this is port ${server.address.port}`);
  }
  if (settings.file !== null) notices.unshift(`settings from ${settings.file}`);
  for (const message of notices) log({ type: "message", level: "info", source: "server", message });
  if (!isLoopback(server.address.hostname)) {
    const message = exposure(server.address, runsScripts(options));
    log({ type: "message", level: "warning", source: "server", message });
  }
  if (settings.auth !== null && settings.tls === null && !isLoopback(server.address.hostname)) {
    const message =
      "passwords are sent in the clear: whoever is on the way can read them; --tls-cert encrypts";
    log({ type: "message", level: "warning", source: "server", message });
  }
  return await stopped;
}

/** Who scripts run as, where that is not plain. A user that does not exist is found out here. */
async function scriptNotices({ processes }: Runtime, options: SiteOptions): Promise<string[]> {
  const { user } = scriptOptions(options);
  const notice = describeUser(user, await resolveUser(user, processes), processes);
  return notice === null ? [] : [notice];
}
