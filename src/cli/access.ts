/**
 * What stands before the site: who may ask, and what every response carries.
 *
 * @module
 */

import { allowHosts } from "../access/allow_hosts.ts";
import { basicAuth } from "../access/basic_auth.ts";
import { cors } from "../access/cors.ts";
import type { CheckPassword } from "../access/passwords.ts";
import { errorPage, type RenderError } from "../error_page.ts";
import type { Handler } from "../handler.ts";
import { health } from "../health.ts";
import type { HeaderField } from "../header_field.ts";
import type { Log } from "../log/events.ts";
import { route } from "../router.ts";
import { headersPutter, puttingHeaders } from "../with_headers.ts";
import type { Settings } from "./settings.ts";

/** What is served. */
export interface Guarded {
  readonly handler: Handler;
  /** For what the server itself refuses, where the default page will not do. */
  readonly renderError?: RenderError;
  /** Tells probes that the end is near. */
  drain(): void;
}

/**
 * Puts a site behind what the settings ask for.
 *
 * @throws {TypeError} When a setting makes no sense.
 */
export function guard(site: Handler, settings: Settings, users: CheckPassword | null, log: Log): Guarded {
  const { hostname, allowHosts: hosts } = settings;
  let handler = site;
  if (users !== null) handler = basicAuth({ users }, handler);
  // A preflight comes without a password.
  if (settings.cors !== null) handler = cors(settings.cors, handler);
  if (hosts !== null) {
    const own = hostname.includes(":") ? [] : [hostname];
    handler = allowHosts({ hosts: [...own, ...hosts], log }, handler);
  }
  const probe = health();
  // Probes come by an address or whatever name, and without a password.
  if (settings.health) handler = route([["/.well-known/htbin/health", probe], ["/*", handler]]);
  const { drain } = probe;
  const fields = everyField(settings);
  if (fields.length === 0) return { handler, drain };
  const put = headersPutter(fields);
  return {
    drain,
    handler: puttingHeaders(put, handler),
    renderError: (page) => put(errorPage(page)),
  };
}

function everyField({ headers, protocol }: Settings): readonly HeaderField[] {
  // HTTP/1.0 as Python's server means it: one response to a connection. What the status line says is the runtime's.
  return protocol === "HTTP/1.0" ? [...headers, ["connection", "close"]] : headers;
}
