/**
 * The URL of a request from its meta-variables: the Script-URI of RFC 3875 section 3.3.
 *
 * @module
 */

import type { Forwarded } from "../cgi/forwarded.ts";
import { type HostAndPort, parseHost } from "../host.ts";
import { parseUrl } from "../request_path.ts";
import { decodePath, encodePath, encodeQuery, toOctets } from "./octets.ts";
import { ScriptRequestError } from "./request_error.ts";
import { isServer, variable, type Variables } from "./variables.ts";

/** A URL in its parts. */
export interface ScriptUrl {
  /** Such as `https://example.com:8443`. */
  readonly origin: string;
  /** The path of the script, percent-encoded, without a slash at its end: `""` at the root. */
  readonly scriptPath: string;
  /** The same decoded, as far as it is text. */
  readonly mount: string;
  /** What comes after it, percent-encoded: `""`, or a path. */
  readonly pathInfo: string;
  /** The query with its `?`, or `""`. */
  readonly search: string;
}

/**
 * Makes the URL.
 *
 * @param basePath Where the script is, instead of `SCRIPT_NAME`.
 * @throws {ScriptRequestError} When it cannot be one.
 */
export function scriptUrl(
  variables: Variables,
  basePath: string | undefined,
  forwarded: Forwarded | null,
): ScriptUrl {
  const [script, info] = splitPath(variables, basePath);
  const [scriptPath, pathInfo] = spell(toOctets(script), toOctets(info), variables);
  // Empty, it says that a rewriting server has taken the query away.
  const query = variables["QUERY_STRING"] ?? queryOf(variables);
  return {
    origin: origin(variables, forwarded),
    scriptPath,
    mount: script,
    pathInfo,
    search: query === "" ? "" : `?${encodeQuery(toOctets(query))}`,
  };
}

/** Whether the request came over TLS to the server. `HTTPS` is nobody's standard, and everybody's custom. */
export function isSecure(variables: Variables): boolean {
  return /^(?:on|1)$/i.test(variable(variables, "HTTPS") ?? "") ||
    variable(variables, "SERVER_PORT_SECURE") === "1" ||
    variable(variables, "REQUEST_SCHEME")?.toLowerCase() === "https";
}

function origin(variables: Variables, forwarded: Forwarded | null): string {
  const scheme = forwarded?.scheme ?? (isSecure(variables) ? "https" : "http");
  const { host, port } = forwarded?.host ?? requestedHost(variables);
  try {
    return new URL(`${scheme}://${host}${port === null ? "" : `:${port}`}`).origin;
  } catch {
    throw new ScriptRequestError(400, `The request is for ${JSON.stringify(host)}, which is no host`);
  }
}

/** The `Host` that was asked for; without one, who the server says it is. */
function requestedHost(variables: Variables): HostAndPort {
  const field = variable(variables, "HTTP_HOST");
  if (field !== null) {
    const host = parseHost(field);
    if (host !== null) return host;
    throw new ScriptRequestError(400, `HTTP_HOST is ${JSON.stringify(field)}, which is no host`);
  }
  const name = variable(variables, "SERVER_NAME") ?? "localhost";
  const port = parseHost(`x:${variable(variables, "SERVER_PORT") ?? ""}`)?.port ?? null;
  const host = parseHost(/^[^[].*:/.test(name) ? `[${name}]` : name)?.host ?? "localhost";
  return { host, port };
}

/** The path of the script and what comes after it, decoded. */
function splitPath(variables: Variables, basePath: string | undefined): readonly [string, string] {
  let script = variable(variables, "SCRIPT_NAME") ?? "";
  let info = variable(variables, "PATH_INFO") ?? "";
  // IIS repeats the script's path, unless it is told not to (`allowPathInfo`).
  if (isServer(variables, "Microsoft-IIS") && `${info}/`.startsWith(`${script}/`)) {
    info = info.slice(script.length);
  }
  // A slash belongs to what follows, also to nothing.
  if (script.endsWith("/")) {
    script = script.slice(0, -1);
    if (!info.startsWith("/")) info = `/${info}`;
  }
  if (basePath !== undefined) {
    const path = script + info;
    if (`${path}/`.startsWith(`${basePath}/`)) info = path.slice(basePath.length);
    script = basePath;
  }
  for (const [name, path] of [["SCRIPT_NAME", script], ["PATH_INFO", info]] as const) {
    if (path === "" || path.startsWith("/")) continue;
    throw new ScriptRequestError(400, `${name} is ${JSON.stringify(path)}, which is no path`);
  }
  return [script, info];
}

/**
 * Both percent-encoded: as the client did it, where `REQUEST_URI` tells and means the same. Otherwise the decision is
 * the server's, and its variables count: it may have rewritten the path.
 */
function spell(script: string, info: string, variables: Variables): readonly [string, string] {
  const requested = requestedPath(variables);
  if (requested !== null && decodePath(requested) === script + info) {
    const end = encodedLength(requested, script.length);
    const [scriptPath, pathInfo] = [requested.slice(0, end), requested.slice(end)];
    // An encoded slash cannot be the one between them.
    if (pathInfo === "" || pathInfo.startsWith("/")) return [scriptPath, pathInfo];
  }
  return [resolve(encodePath(script)), resolve(encodePath(info))];
}

/** The path in `REQUEST_URI`, which may be a whole URL; busybox decodes it. */
function requestedPath(variables: Variables): string | null {
  const target = variable(variables, "REQUEST_URI");
  if (target === null) return null;
  const [path = ""] = toOctets(target).replace(/^https?:\/\/[^/?#]*/i, "").split("?", 1);
  return path.startsWith("/") ? resolve(encodeQuery(path)) : null;
}

function queryOf(variables: Variables): string {
  const target = variable(variables, "REQUEST_URI") ?? "";
  const start = target.indexOf("?");
  return start < 0 ? "" : target.slice(start + 1);
}

/** The path as a URL has it: without dot segments, so that none leads out of it. */
function resolve(path: string): string {
  return path === "" ? "" : parseUrl(`http://localhost${path}`).pathname;
}

/** How many characters of a percent-encoded path stand for its first `length` bytes. */
function encodedLength(path: string, length: number): number {
  const octet = /%[0-9a-fA-F]{2}|[^]/g;
  for (let left = length; left > 0; left--) octet.exec(path);
  return length === 0 ? 0 : octet.lastIndex;
}
