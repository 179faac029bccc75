/**
 * From the settings to a server that listens.
 *
 * @module
 */

import type { Log } from "../log/events.ts";
import { type FileSystem, ListenError, type Runtime, type TlsOptions } from "../runtime.ts";
import { serve, type Server } from "../serve.ts";
import { site, type SiteHandler, type SiteOptions } from "../site.ts";
import { guard, type Guarded } from "./access.ts";
import { isEvery, isLoopback } from "./address.ts";
import { readCertificate } from "./certificate.ts";
import { inheritedSocket } from "./inherited_socket.ts";
import { reloader } from "./reload.ts";
import { type SelfSigned, selfSigned } from "./self_signed.ts";
import type { Settings } from "./settings.ts";
import { readUsers, type Users } from "./users.ts";
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
  /** Reads certificate and passwords anew, and logs what came of it. */
  reload(): Promise<void>;
  /** The certificate that was made for this run. */
  readonly selfSigned: SelfSigned | null;
}

/** What a worker is told by the one that started it. */
export interface Shared {
  /** That one's certificate. */
  readonly selfSigned: SelfSigned | null;
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
  shared?: Shared,
): Promise<Started> {
  const { files, network } = runtime;
  const { hostname } = settings;
  const { log } = options;
  const socket = inheritedSocket(runtime);
  const selfSigned = settings.tls === "self-signed"
    ? shared?.selfSigned ?? await makeCertificate(settings, network.addresses?.() ?? [])
    : null;
  const tls = selfSigned?.tls ?? await certificateOf(files, settings);
  const { site, guarded, users } = await makeHandler(files, settings, options);
  const { drain, ...handling } = guarded;
  const where = { hostname, shared: shared !== undefined, ...(socket !== null && { socket }) };
  const server = await listen(settings.port, (port) => {
    return serve({ ...handling, ...where, port, log, network, ...(tls && { tls }) });
  });
  const reload = reloader({
    log,
    users: settings.auth?.file ? users : null,
    certificate: selfSigned === null && tls !== null ? () => certificateOf(files, settings) : null,
    server,
  });
  return { server, site, drain, reload, selfSigned };
}

/** A certificate for all names that this server is asked by, as far as they are known. */
function makeCertificate(settings: Settings, addresses: readonly string[]): Promise<SelfSigned> {
  const { hostname, allowHosts } = settings;
  const named = (allowHosts ?? []).map((name) => name.replace(/^\./, "")).filter((name) => name !== "*");
  const others = isLoopback(hostname) ? [] : isEvery(hostname) ? addresses : [hostname];
  return selfSigned(["localhost", "127.0.0.1", "::1", ...others, ...named]);
}

/** `null` for plain HTTP. */
async function certificateOf(files: FileSystem, { tls }: Settings): Promise<TlsOptions | null> {
  return tls === null || tls === "self-signed" ? null : await readCertificate(files, tls);
}

/** What the library refuses here came from a flag. */
async function makeHandler(
  files: FileSystem,
  settings: Settings,
  options: LoggedSite,
): Promise<{ readonly site: SiteHandler; readonly guarded: Guarded; readonly users: Users | null }> {
  try {
    const handler = site(options);
    const users = settings.auth === null ? null : await readUsers(files, settings.auth);
    return { site: handler, guarded: guard(handler, settings, users?.check ?? null, options.log), users };
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
