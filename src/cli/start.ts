/**
 * From the settings to a running server, to its end.
 *
 * @module
 */

import { describeUser, resolveUser } from "../cgi/user.ts";
import type { Log } from "../log/events.ts";
import { ListenError, type Runtime } from "../runtime.ts";
import { serve, type Server } from "../serve.ts";
import { runsScripts, scriptOptions, site, type SiteHandler, type SiteOptions } from "../site.ts";
import { guard, type Guarded } from "./access.ts";
import { banner, exposure, isLoopback, readyLine } from "./banner.ts";
import { readCertificate } from "./certificate.ts";
import type { Settings } from "./command_line.ts";
import { untilStopped } from "./stop.ts";
import { UsageError } from "./usage_error.ts";

/** The port when none is given, and how many from there on are tried. */
const DEFAULT_PORT = 8000;
const PORTS_TRIED = 100;

/**
 * Serves a site until a signal ends it. Resolves with the exit status.
 *
 * @throws {UsageError} When the flags ask for something impossible.
 * @throws {StartError | ListenError | TypeError} When the server cannot start.
 */
export async function serveUntilStopped(
  runtime: Runtime,
  settings: Settings,
  options: SiteOptions & { readonly log: Log },
): Promise<number> {
  const { log } = options;
  const tls = settings.tls === null ? null : await readCertificate(runtime.files, settings.tls);
  const notices = runsScripts(options) ? await scriptNotices(runtime, options) : [];
  const { close, ...guarded } = makeHandler(settings, options);
  const server = await listen(settings.port, (port) => {
    return serve({
      ...guarded,
      port,
      hostname: settings.hostname,
      log,
      network: runtime.network,
      ...(tls && { tls }),
    });
  });
  // Before the first line is out: whoever waits for it may send a signal right away.
  const stopped = untilStopped(runtime.terminal, settings.graceMs, server, { close });
  const { address, url } = server;
  const first = settings.readyJson ? readyLine(address, url, runtime.terminal.pid) : banner(address, url);
  await runtime.terminal.stdout(`${first}\n`);
  if (settings.port === null && server.address.port !== DEFAULT_PORT) {
    notices.unshift(`port ${DEFAULT_PORT} is in use, so this is port ${server.address.port}`);
  }
  for (const message of notices) log({ type: "message", level: "info", source: "server", message });
  if (!isLoopback(server.address.hostname)) {
    const message = exposure(server.address, runsScripts(options));
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

/** What the library refuses here came from a flag. */
function makeHandler(
  settings: Settings,
  options: SiteOptions & { readonly log: Log },
): Guarded & Pick<SiteHandler, "close"> {
  try {
    const handler = site(options);
    return { ...guard(handler, settings, options.log), close: handler.close };
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

/** Opens the port that was asked for, or the first that is free from the default one on. */
async function listen(port: number | null, open: (port: number) => Promise<Server>): Promise<Server> {
  if (port !== null) return await open(port);
  for (let candidate = DEFAULT_PORT;; candidate++) {
    try {
      return await open(candidate);
    } catch (error) {
      const busy = error instanceof ListenError && error.reason === "in-use";
      if (!busy || candidate === DEFAULT_PORT + PORTS_TRIED - 1) throw error;
    }
  }
}
