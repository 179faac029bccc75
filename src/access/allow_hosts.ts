/**
 * Which names a server answers to: against DNS rebinding.
 *
 * @module
 */

import { checkOptions, hook, list, needed, type Shape, text } from "../check_options.ts";
import { errorRenderer, type RenderError } from "../error_page.ts";
import { askAtOnce, type AtOnce, type RequestHead } from "../at_once.ts";
import type { Connection, Handler } from "../handler.ts";
import { parseHost } from "../host.ts";
import { consoleLog } from "../log/console.ts";
import type { Log } from "../log/events.ts";

/** Options of {@linkcode allowHosts}. */
export interface AllowHostsOptions {
  /**
   * Names to answer to: `example.com`, `.example.com` for that and every name below it, `*` for any. `localhost`, the
   * names below it, and IP addresses need not be among them.
   */
  readonly hosts: readonly string[];
  /** Renders the page of a refusal. @default {errorPage} */
  readonly renderError?: RenderError;
  /** Told of each name that was refused, once. @default {failures to console.error} */
  readonly log?: Log;
}

const OPTIONS: Shape<AllowHostsOptions> = { hosts: needed(list(text)), renderError: hook, log: hook };

/** So many refused names are told of; whoever sends others fills no log. */
const MOST_TOLD = 100;

/**
 * Answers requests for the right hosts only; for another the answer is 421 (RFC 9110 section 15.5.20).
 *
 * Any website can let its own name point to this machine, and its pages then read what a server on this machine answers
 * (DNS rebinding). The browser tells: the `Host` is that website's. An IP address cannot be such a name and is always
 * allowed; so is a request without a `Host`, which browsers do not send.
 *
 * @throws {TypeError} For a name that cannot be one, and for an option that is unknown or of the wrong type.
 *
 * @example
 * ```ts
 * import { allowHosts, type AllowHostsOptions } from "htbin";
 *
 * const options: AllowHostsOptions = { hosts: ["wiki.test"], log() {} };
 * const handler = allowHosts(options, () => new Response("Hello"));
 * const ask = (host: string) => handler(new Request("http://127.0.0.1/", { headers: { host } }));
 * console.assert((await ask("wiki.test"))?.status === 200);
 * console.assert((await ask("evil.test"))?.status === 421);
 * ```
 */
export function allowHosts(options: AllowHostsOptions, handler: Handler): Handler {
  checkOptions("allowHosts()", options, OPTIONS);
  const { log = consoleLog() } = options;
  const renderError = errorRenderer(options.renderError);
  const isAllowed = hostMatcher(options.hosts);
  const told = new Set<string>();
  let lastAllowed = "";
  return Object.assign(handleAllowedHosts, { atOnce });

  /** `true` when it is allowed; else the host, or `null` when it is none. */
  function judge(value: string): true | string | null {
    // One that is no host at all is answered 400 by serve().
    const host = parseHost(value)?.host ?? null;
    return value === "" || (host !== null && isAllowed(host)) || host;
  }

  function atOnce(head: RequestHead, connection: Connection): ReturnType<AtOnce> {
    const value = head.headers.get("host") ?? "";
    if (value !== lastAllowed) {
      if (judge(value) !== true) return "later";
      lastAllowed = value;
    }
    return askAtOnce(handler, head, connection);
  }

  function handleAllowedHosts(request: Request, connection?: Connection): ReturnType<Handler> {
    const host = judge(request.headers.get("host") ?? "");
    if (host === true) return handler(request, connection);
    if (host !== null && !told.has(host) && told.size < MOST_TOLD) {
      told.add(host);
      log({
        type: "message",
        level: "warning",
        source: "server",
        message: `refused a request for the host ${host}, which is not among the allowed ones; ` +
          `if it is this server's name: --allow-host ${host}`,
        ...(connection?.requestId !== undefined && { requestId: connection.requestId }),
      });
    }
    return renderError({ status: 421, request });
  }
}

/**
 * Whether a host, in lower case, is among these.
 *
 * @throws {TypeError} For what is no name.
 */
export function hostMatcher(hosts: readonly string[]): (host: string) => boolean {
  const names = new Set(["localhost"]);
  const suffixes = [".localhost"];
  let isAny = false;
  for (const given of hosts) {
    const name = given.toLowerCase().replace(/\.$/, "");
    const parsed = parseHost(name.replace(/^\./, ""));
    if (name === "*") isAny = true;
    else if (parsed === null || parsed.port !== null) {
      throw new TypeError(
        `Cannot allow the host "${given}": give a name without a port, such as wiki.example.com`,
      );
    } else if (name.startsWith(".")) {
      names.add(name.slice(1));
      suffixes.push(name);
    } else names.add(name);
  }
  return (asked) => {
    const host = asked.replace(/\.$/, "");
    return isAny || names.has(host) || isAddress(host) || suffixes.some((suffix) => host.endsWith(suffix));
  };
}

/** Browsers write an IPv4 address in this form alone, whatever was typed. */
function isAddress(host: string): boolean {
  return host.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}
