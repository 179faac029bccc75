/**
 * A script that somebody has started by hand.
 *
 * @module
 */

import { decodePath } from "./octets.ts";
import type { Variables } from "./variables.ts";

/** What to say where there is no request. */
export const HOW_TO_RUN: string =
  "This is a CGI script: it answers the request that a server describes in its " +
  "environment, and there is none. Try one with a path as the argument (/hello?name=Ada), or serve the script's " +
  "folder: htbin --cgi-dir .";

/** The environment for a GET request of the path that is the only argument, or `null`. */
export function requestFromArguments(args: readonly string[], variables: Variables): Variables | null {
  const [target = ""] = args;
  if (args.length !== 1 || !target.startsWith("/")) return null;
  const { pathname, search } = new URL(`http://localhost${target}`);
  return {
    ...variables,
    GATEWAY_INTERFACE: "CGI/1.1",
    PATH_INFO: asVariable(pathname),
    QUERY_STRING: search.slice(1),
    REMOTE_ADDR: "127.0.0.1",
    REQUEST_METHOD: "GET",
    REQUEST_URI: pathname + search,
    SCRIPT_NAME: "",
    SERVER_NAME: "localhost",
    SERVER_PORT: "80",
    SERVER_PROTOCOL: "HTTP/1.1",
  };
}

/** The path decoded, as it stands in an environment: what is not UTF-8 as lone surrogates. */
function asVariable(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return decodePath(path).replace(
      /[\x80-\xff]/g,
      (octet) => String.fromCharCode(0xdc00 + octet.charCodeAt(0)),
    );
  }
}
