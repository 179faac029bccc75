/**
 * What a server is started with, made of the flags.
 *
 * @module
 */

import type { CorsOptions } from "../access/cors.ts";
import type { HeaderField } from "../header_field.ts";
import type { LogFormat } from "../log/format.ts";
import type { SiteCgiOptions, SiteOptions, SiteStaticOptions } from "../site_options.ts";
import { isLoopback } from "./address.ts";
import type { CertificateFiles } from "./certificate.ts";
import type { Flags } from "./flags.ts";
import { UsageError } from "./usage_error.ts";
import type { Credentials, Protocol } from "./values.ts";

/** Where users and passwords come from. */
export interface AuthSettings {
  readonly users: readonly Credentials[];
  /** Path of a file of htpasswd's. */
  readonly file: string | null;
}

/** What a server is started with. */
export interface Settings {
  /** The file that some of them come from. */
  readonly file: string | null;
  /** `null`: the default one, or the next that is free. */
  readonly port: number | null;
  readonly hostname: string;
  /** `null`: the working directory. */
  readonly directory: string | null;
  /** `null`: plain HTTP. */
  readonly tls: CertificateFiles | "self-signed" | null;
  readonly protocol: Protocol;
  /** Sent with every response. */
  readonly headers: readonly HeaderField[];
  /** Names that are answered to, besides those for this machine; `null` for any name. */
  readonly allowHosts: readonly string[] | null;
  /** Who may come in; `null` for everybody. */
  readonly auth: AuthSettings | null;
  /** Which sites' pages may read the answers; `null` for none. */
  readonly cors: CorsOptions | null;
  readonly site: Omit<SiteOptions, "directory" | "log">;
  /** Format of the access log; `null` for none. */
  readonly log: LogFormat | null;
  /** Say nothing but what failed. */
  readonly quiet: boolean;
  /** Say where it listens as a line of JSON. */
  readonly readyJson: boolean;
  /** Open it in the browser. */
  readonly open: boolean;
  /** Show its URL as a QR code. */
  readonly qr: boolean;
  /** Answer probes. */
  /** Over TLS, where the runtime can. */
  readonly http2: boolean;
  readonly health: boolean;
  /** How long requests are taken after the signal to stop, while probes are told that it is coming, in milliseconds. */
  readonly drainMs: number;
  /** How long responses and scripts may go on after the signal to stop, in milliseconds. */
  readonly graceMs: number;
  /** How many processes or threads answer requests. */
  readonly workers: number;
}

/**
 * Makes the settings.
 *
 * @throws {UsageError} When the flags contradict each other.
 */
export function toSettings(port: number | undefined, flags: Flags, file: string | null): Settings {
  const quiet = flags.quiet ?? false;
  const hostname = (flags.bind ?? "127.0.0.1").replace(/^\[(.*)\]$/, "$1");
  return {
    file,
    port: port ?? null,
    hostname,
    directory: flags.directory ?? null,
    tls: certificateFiles(flags),
    protocol: flags.protocol ?? "HTTP/1.1",
    headers: flags.header ?? [],
    allowHosts: flags.allowHost ?? (isLoopback(hostname) ? [] : null),
    auth: flags.auth === undefined && flags.authFile === undefined
      ? null
      : { users: flags.auth ?? [], file: flags.authFile ?? null },
    cors: corsOptions(flags),
    site: {
      cgi: cgiOptions(flags) ?? false,
      static: staticOptions(flags),
      dotfiles: flags.dotfiles ?? false,
      followSymlinks: flags.followSymlinks ?? false,
    },
    log: quiet || flags.log === "none" ? null : flags.log,
    quiet,
    readyJson: flags.readyJson ?? false,
    open: flags.open ?? false,
    qr: flags.qr ?? false,
    http2: flags.http2 && flags.protocol !== "HTTP/1.0",
    health: flags.health ?? false,
    drainMs: flags.drain * 1000,
    graceMs: flags.grace * 1000,
    workers: flags.workers,
  };
}

/** `null` for plain HTTP. */
function certificateFiles(flags: Flags): CertificateFiles | "self-signed" | null {
  if (flags.tlsSelfSigned) {
    const own = [flags.tlsCert, flags.tlsKey, flags.tlsPasswordFile];
    if (own.every((path) => path === undefined)) return "self-signed";
    throw new UsageError(
      "--tls-self-signed makes its own certificate and key: leave out the other --tls flags",
    );
  }
  if (flags.tlsCert !== undefined) {
    return { cert: flags.tlsCert, ...defined({ key: flags.tlsKey, password: flags.tlsPasswordFile }) };
  }
  if (flags.tlsKey !== undefined) {
    throw new UsageError("--tls-key needs --tls-cert, the certificate it belongs to");
  }
  if (flags.tlsPasswordFile === undefined) return null;
  throw new UsageError("--tls-password-file needs --tls-cert, and an encrypted key to open");
}

/** `null` when no site may read anything. */
function corsOptions({ cors, corsOrigin }: Flags): CorsOptions | null {
  if (cors === false || (cors === undefined && corsOrigin === undefined)) return null;
  return corsOrigin === undefined ? {} : { origins: corsOrigin, credentials: !corsOrigin.includes("*") };
}

/** `null` when scripts are not to run. */
function cgiOptions(flags: Flags): SiteCgiOptions | null {
  const options: SiteCgiOptions = defined({
    directories: flags.cgiDir,
    extensions: flags.cgiExt,
    interpreters: flags.cgiInterpreter,
    user: flags.cgiUser,
    env: flags.cgiEnv?.set,
    inheritEnv: flags.cgiEnv?.inherit,
    passAuthorization: flags.cgiPassAuth || undefined,
    strict: flags.cgiLenient ? false : undefined,
    direct: flags.cgiDirect || undefined,
    development: flags.cgiDevelopment || undefined,
    trustedProxies: flags.trustProxy,
    timeouts: definedOrNone({
      firstByte: flags.cgiTimeout,
      idle: flags.cgiIdleTimeout,
      total: flags.cgiTotalTimeout,
    }),
    limits: definedOrNone({ concurrent: flags.cgiMax, queue: flags.cgiQueue }),
  });
  if (flags.cgi === false) return null;
  const runs = flags.cgi === true || flags.explain !== undefined || Object.keys(options).length > 0;
  // Names of pages alone make nothing a script.
  return runs ? { ...options, ...defined({ index: flags.index }) } : null;
}

function staticOptions(flags: Flags): SiteStaticOptions {
  return defined({
    index: flags.index,
    listing: flags.listing,
    cleanUrls: flags.cleanUrls,
    spa: flags.spa,
    precompressed: flags.precompressed,
    compress: flags.compress,
    cache: flags.cache,
    defaultType: flags.contentType,
  });
}

/** The object without its undefined values. */
function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function definedOrNone<T extends object>(
  object: T,
): { [K in keyof T]: Exclude<T[K], undefined> } | undefined {
  const rest = defined(object);
  return Object.keys(rest).length > 0 ? rest : undefined;
}
