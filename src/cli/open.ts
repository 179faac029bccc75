/**
 * From the settings to a server that listens.
 *
 * @module
 */

import { type CheckPassword, passwordChecker } from "../access/passwords.ts";
import type { Log } from "../log/events.ts";
import { ListenError, type Runtime } from "../runtime.ts";
import { serve, type Server } from "../serve.ts";
import { type SiteHandler, siteHandler } from "../site_handler.ts";
import { runsScripts, type SiteOptions } from "../site_options.ts";
import { guard, type Guarded } from "./access.ts";
import { isEvery, isLoopback } from "./address.ts";
import { namingFlag } from "./certificate.ts";
import { inheritedSocket } from "./inherited_socket.ts";
import { reloader } from "./reload.ts";
import { isSameTls, readSecrets, type Secrets } from "./secrets.ts";
import type { SelfSigned } from "./self_signed.ts";
import type { Settings } from "./settings.ts";
import type { TerminalLog } from "./terminal_log.ts";
import { UsageError } from "./usage_error.ts";
import type { UserTable } from "./users.ts";

/** The port when none is given. */
export const DEFAULT_PORT = 8000;

/** How many from there on are tried. */
const PORTS_TRIED = 100;

/** What is served, and who is told. */
export type LoggedSite = SiteOptions & { readonly log: Log & Partial<Pick<TerminalLog, "told">> };

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

/** The same, where what it shares with others can be seen and changed. */
export interface OpenSite extends Started {
  /** What is in use. */
  secrets(): Secrets;
  /** Uses these from now on. Throws when it cannot, and nothing has changed. */
  take(secrets: Secrets): void;
}

/**
 * Opens the port for a site. A worker is `given` what its starter has read.
 *
 * @throws {UsageError} When the flags ask for something impossible.
 * @throws {StartError | ListenError} When the server cannot start.
 */
export async function openSite(
  runtime: Runtime,
  settings: Settings,
  options: LoggedSite,
  given?: Secrets,
): Promise<OpenSite> {
  const { files, network } = runtime;
  const { hostname } = settings;
  const { log } = options;
  const socket = inheritedSocket(runtime);
  const selfSigned = settings.tls === "self-signed" && given === undefined
    ? await makeCertificate(settings, network.addresses?.() ?? [])
    : null;
  let secrets = given ?? await readSecrets(files, settings, selfSigned?.tls ?? null);
  const { site, guarded, setUsers } = await makeHandler(settings, options, secrets.users);
  const { drain, ...handling } = guarded;
  const where = {
    hostname,
    http2: settings.http2,
    shared: given !== undefined,
    ...(socket !== null && { socket }),
  };
  const { tls } = secrets;
  const server = await listen(settings.port, (port) => {
    return serve({ ...handling, ...where, port, log, network, ...(tls && { tls }) });
  }).catch((error) => {
    throw namingFlag(error, settings.tls);
  });
  runtime.terminal.becomeServer?.();
  function take(next: Secrets): void {
    if (next.tls !== null && !isSameTls(next.tls, secrets.tls)) {
      try {
        server.setTls?.(next.tls);
      } catch (error) {
        throw namingFlag(error, settings.tls);
      }
    }
    setUsers(next.users);
    secrets = next;
  }
  const reload = reloader({ files, settings, log, current: () => secrets, take });
  return { server, site, drain, reload, selfSigned, secrets: () => secrets, take };
}

/** A certificate for all names that this server is asked by, as far as they are known. */
async function makeCertificate(settings: Settings, addresses: readonly string[]): Promise<SelfSigned> {
  const { selfSigned } = await import("./self_signed.ts");
  const { hostname, allowHosts } = settings;
  const named = (allowHosts ?? []).map((name) => name.replace(/^\./, "")).filter((name) => name !== "*");
  const others = isLoopback(hostname) ? [] : isEvery(hostname) ? addresses : [hostname];
  return await selfSigned(["localhost", "127.0.0.1", "::1", ...others, ...named]);
}

/** What answers requests, with users that may change. */
interface Answering {
  readonly site: SiteHandler;
  readonly guarded: Guarded;
  /** @throws {TypeError} For a name or password that no client can send. */
  setUsers(users: UserTable | null): void;
}

/** What the library refuses here came from a flag. */
async function makeHandler(
  settings: Settings,
  options: LoggedSite,
  users: UserTable | null,
): Promise<Answering> {
  // Half of all code, for those who run scripts.
  const cgi = runsScripts(options) ? (await import("../cgi/mod.ts")).cgi : null;
  try {
    const handler = siteHandler(options, cgi);
    let check = users && passwordChecker(users);
    const isPassword: CheckPassword = (user, password) => check?.(user, password) ?? false;
    return {
      site: handler,
      guarded: guard(handler, settings, users && isPassword, options.log),
      setUsers: (users) => void (check = users && passwordChecker(users)),
    };
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
