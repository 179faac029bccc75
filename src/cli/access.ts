/**
 * What stands before the site: who may ask, and what every response carries.
 *
 * @module
 */

import { allowHosts } from "../access/allow_hosts.ts";
import { errorPage, type RenderError } from "../error_page.ts";
import type { Handler } from "../handler.ts";
import type { HeaderField } from "../header_field.ts";
import type { Log } from "../log/events.ts";
import { headersPutter } from "../with_headers.ts";
import type { Settings } from "./command_line.ts";

/** What is served. */
export interface Guarded {
  readonly handler: Handler;
  /** For what the server itself refuses. */
  readonly renderError: RenderError;
}

/**
 * Puts a site behind what the settings ask for.
 *
 * @throws {TypeError} When a setting makes no sense.
 */
export function guard(site: Handler, settings: Settings, log: Log): Guarded {
  const { hostname, allowHosts: hosts } = settings;
  let handler = site;
  if (hosts !== null) {
    const own = hostname.includes(":") ? [] : [hostname];
    handler = allowHosts({ hosts: [...own, ...hosts], log }, handler);
  }
  const fields = everyField(settings);
  if (fields.length === 0) return { handler, renderError: errorPage };
  const put = headersPutter(fields);
  return {
    async handler(request, connection) {
      const response = await handler(request, connection);
      return response && put(response);
    },
    renderError: (page) => put(errorPage(page)),
  };
}

function everyField({ headers, protocol }: Settings): readonly HeaderField[] {
  // HTTP/1.0 as Python's server means it: one response to a connection. What the status line says is the runtime's.
  return protocol === "HTTP/1.0" ? [...headers, ["connection", "close"]] : headers;
}
