/**
 * A folder with its CGI scripts, as one handler.
 *
 * What runs the scripts is given: it is half of all code, and the command line loads it only where scripts run.
 *
 * @module
 */

import { askAtOnce, type AtOnce } from "./at_once.ts";
import type { CgiHandler, CgiOptions } from "./cgi/options.ts";
import { checkOptions } from "./check_options.ts";
import type { Connection, Handler } from "./handler.ts";
import { runsScripts, scriptOptions, sharedOptions, SITE_OPTIONS, type SiteOptions } from "./site_options.ts";
import { staticFiles } from "./static/mod.ts";

/** A handler for a site, with a way to end its scripts. */
export interface SiteHandler extends Handler {
  /** As {@linkcode CgiHandler.close}. Resolves at once where no scripts run. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Makes it; `cgi` makes the handler of the scripts, and is `null` where none run.
 *
 * @throws {TypeError} When an option makes no sense.
 */
export function siteHandler(
  options: SiteOptions,
  cgi: ((options: CgiOptions) => CgiHandler) | null,
): SiteHandler {
  checkOptions("site()", options, SITE_OPTIONS);
  const scripts = scriptOptions(options);
  const runScript = runsScripts(options) ? cgi!(scripts) : null;
  const sendFile = staticFiles({
    ...options.static,
    ...sharedOptions(options),
    cgiDirectories: scripts.directories ?? [],
    // A file that an interpreter is named for is source text too, also outside of the folders for scripts.
    cgiExtensions: [...scripts.extensions ?? [], ...Object.keys(scripts.interpreters ?? {})],
    postIsForCgi: runScript !== null,
  });
  async function handleSite(request: Request, connection: Connection = {}): Promise<Response | undefined> {
    // Without a server around it, the site itself is where a script's local redirect leads.
    const inner = connection.dispatch === undefined ? { ...connection, dispatch: handleSite } : connection;
    return await runScript?.(request, inner) ?? await sendFile(request, inner);
  }
  const atOnce: AtOnce = (head, connection) => {
    const script = runScript === null ? undefined : askAtOnce(runScript, head, connection);
    return script === undefined ? askAtOnce(sendFile, head, connection) : script;
  };
  return Object.assign(handleSite, { atOnce, close: (graceMs?: number) => closeScripts(runScript, graceMs) });
}

async function closeScripts(runScript: CgiHandler | null, graceMs: number | undefined): Promise<void> {
  await runScript?.close(graceMs);
}
