/**
 * What is said when a server has started: to programs, to people at a terminal, and to the log.
 *
 * @module
 */

import type { LogLevel } from "../log/events.ts";
import { FileError, type Runtime } from "../runtime.ts";
import { runsScripts, scriptOptions, type SiteOptions } from "../site_options.ts";
import { isLoopback } from "./address.ts";
import { banner, exposure, readyLine } from "./banner.ts";
import { usesColours } from "./colours.ts";
import { inheritedSocket } from "./inherited_socket.ts";
import { DEFAULT_PORT, type LoggedSite, type Started } from "./open.ts";
import type { Settings } from "./settings.ts";
import { qrCode } from "./qr.ts";
import { StartError } from "./start_error.ts";
import { urlsOf } from "./urls.ts";
import { welcome } from "./welcome.ts";

/**
 * Prepares it before the server starts: a user for scripts that does not exist is found out here.
 *
 * @throws {StartError} When there is no such user.
 */
export async function announcement(
  runtime: Runtime,
  settings: Settings,
  options: LoggedSite,
): Promise<(started: Pick<Started, "server" | "selfSigned">) => Promise<void>> {
  const { terminal, network, processes } = runtime;
  const runsAs = await scriptUser(runtime, options);
  const folder = await runtime.files.realPath(options.directory) ?? options.directory;
  const missing = await missingFolders(runtime, settings, folder);
  return async function announce({ server, selfSigned }) {
    const urls = urlsOf(server, () => network.addresses?.() ?? []);
    const first = settings.readyJson
      ? readyLine(server, urls, terminal.pid)
      : banner(server.address, server.url);
    const isAtTerminal = terminal.isTerminal.stdout && !settings.readyJson && !settings.quiet;
    const colours = usesColours(isAtTerminal, processes.environment);
    function tell(level: LogLevel, message: string): void {
      options.log({ type: "message", level, source: "server", message });
    }
    const more = isAtTerminal
      ? welcome({
        urls,
        settings,
        folder,
        options,
        runsAs,
        fingerprint: selfSigned?.fingerprint ?? null,
        colours,
      })
      : "";
    const code = isAtTerminal && settings.qr ? await qrCode(urls.network[0] ?? server.url, colours) : "";
    await terminal.stdout(`${first}\n${more}${code}`);
    if (settings.qr && !isAtTerminal) tell("info", "--qr: standard output is no terminal to show it on");
    if (code !== "" && urls.network.length === 0) {
      tell("info", "--qr: only this machine can open that URL; --bind 0.0.0.0 lets others");
    }
    if (settings.open) open(urls.local ?? server.url);
    function open(url: string): void {
      terminal.openBrowser(url).catch((error) =>
        tell("warning", `--open: ${error.message}; open ${url} yourself`)
      );
    }
    if (settings.port === null && server.address.port !== DEFAULT_PORT && inheritedSocket(runtime) === null) {
      tell("info", `port ${DEFAULT_PORT} is in use, so this is port ${server.address.port}`);
    }
    if (!isAtTerminal && selfSigned !== null) {
      tell("info", `certificate made for this run, browsers warn of it; SHA-256 ${selfSigned.fingerprint}`);
    }
    if (!isAtTerminal && settings.file !== null) tell("info", `settings from ${settings.file}`);
    if (runsAs !== null) {
      if (isAtTerminal) options.log.told?.(runsAs);
      else tell("info", runsAs);
    }
    for (const path of missing) tell("warning", `there is no folder ${path} for scripts in ${folder}`);
    if (isLoopback(server.address.hostname)) return;
    tell("warning", exposure(server.address, runsScripts(options), settings.auth !== null));
    if (settings.auth === null || settings.tls !== null) return;
    tell(
      "warning",
      "passwords are sent in the clear: whoever is on the way can read them; --tls-cert encrypts",
    );
  };
}

/** Folders of scripts that were asked for and are not there: most are mistakes, some will be made. */
async function missingFolders({ files }: Runtime, { site }: Settings, folder: string): Promise<string[]> {
  const named = typeof site.cgi === "object" ? site.cgi.directories ?? [] : [];
  const found = await Promise.all(named.map(async (path) => {
    try {
      return (await files.stat(`${folder}/${path}`))?.kind === "directory";
    } catch (error) {
      if (error instanceof FileError) return true;
      throw error;
    }
  }));
  return named.filter((_path, at) => !found[at]);
}

/** Who scripts run as, where that is not plain. */
async function scriptUser({ processes }: Runtime, options: SiteOptions): Promise<string | null> {
  if (!runsScripts(options)) return null;
  const { describeUser, resolveUser } = await import("../cgi/user.ts");
  const { user } = scriptOptions(options);
  try {
    return describeUser(user, await resolveUser(user, processes), processes);
  } catch (error) {
    if (user === undefined || !(error instanceof TypeError)) throw error;
    throw new StartError(`--cgi-user: ${error.message}`, { cause: error });
  }
}
