/**
 * From the settings to a server that listens.
 *
 * @module
 */

import type { Log } from "../log/events.ts";
import { ListenError, type Runtime } from "../runtime.ts";
import { serve, type Server } from "../serve.ts";
import { site, type SiteHandler, type SiteOptions } from "../site.ts";
import { guard, type Guarded, readUsers, type Users } from "./access.ts";
import { readCertificate } from "./certificate.ts";
import { inheritedSocket } from "./inherited_socket.ts";
import type { Settings } from "./settings.ts";
import { UsageError } from "./usage_error.ts";

/** The port when none is given. */
export const DEFAULT_PORT = 8000;

/** How many from there on are tried. */
const PORTS_TRIED = 100;

/** What is served, and who is told. */
export type LoggedSite = SiteOptions & { readonly log: Log };

/** What answers requests, and what has to be ended with it. */
export interface Started {
  readonly server: Server;
  readonly site: Pick<SiteHandler, "close">;
  /** Tells probes that the end is near. */
  drain(): void;
}

/**
 * Opens the port for a site.
 *
 * @throws {UsageError} When the flags ask for something impossible.
 * @throws {StartError | ListenError} When the server cannot start.
 */
export async function openSite(
  runtime: Runtime,
  settings: Settings,
  options: LoggedSite,
  shared = false,
): Promise<Started> {
  const { files, network } = runtime;
  const { hostname } = settings;
  const socket = inheritedSocket(runtime);
  const tls = settings.tls === null ? null : await readCertificate(files, settings.tls);
  const users = await readUsers(files, settings.auth);
  const { close, drain, ...guarded } = makeHandler(settings, users, options);
  const where = { hostname, shared, ...(socket !== null && { socket }) };
  const server = await listen(settings.port, (port) => {
    return serve({ ...guarded, ...where, port, log: options.log, network, ...(tls && { tls }) });
  });
  return { server, site: { close }, drain };
}

/** What the library refuses here came from a flag. */
function makeHandler(
  settings: Settings,
  users: Users | null,
  options: LoggedSite,
): Guarded & Pick<SiteHandler, "close"> {
  try {
    const handler = site(options);
    return { ...guard(handler, settings, users, options.log), close: handler.close };
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
