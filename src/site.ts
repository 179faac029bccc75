/**
 * A folder with its CGI scripts, as one handler: what the command line serves.
 *
 * @module
 */

import { cgi } from "./cgi/mod.ts";
import { type SiteHandler, siteHandler } from "./site_handler.ts";
import type { SiteOptions } from "./site_options.ts";

export type { SiteHandler } from "./site_handler.ts";
export type { SiteCgiOptions, SiteOptions, SiteStaticOptions } from "./site_options.ts";

/**
 * Serves a folder: scripts run, everything else is a file.
 *
 * Both sides go by one list of where scripts are, so that no file in such a place is ever sent as content, whether or
 * not scripts run. With scripts, `POST` to what is none is answered 501, as Python's CGI server does.
 *
 * @throws {TypeError} When an option makes no sense.
 *
 * @example
 * ```ts
 * import { serve, site, type SiteHandler, type SiteOptions } from "htbin";
 * import type { SiteCgiOptions, SiteStaticOptions } from "htbin";
 *
 * const scripts: SiteCgiOptions = { directories: ["cgi-bin"] };
 * const files: SiteStaticOptions = { listing: true };
 * const options: SiteOptions = { directory: "examples/site", cgi: scripts, static: files };
 * const handler: SiteHandler = site(options);
 * const server = await serve({ port: 0, handler });
 * console.log(`The site is at ${server.url}`);
 * await server.close();
 * await handler.close();
 * ```
 */
export function site(options: SiteOptions): SiteHandler {
  return siteHandler(options, cgi);
}
