/**
 * What a script is told beside the request.
 *
 * @module
 */

import type { Connection } from "../handler.ts";
import type { CgiRequest } from "./request.ts";
import { isSecure } from "./script_url.ts";
import { isServer, variable, type Variables } from "./variables.ts";

/**
 * Who asks, over which connection; and the whole environment, each variable by its own name: `REMOTE_ADDR`,
 * `DATABASE_URL`. In Hono it is `c.env`: `new Hono<{ Bindings: ScriptConnection }>()`.
 *
 * A variable with a small letter in its name is not among them.
 */
export interface ScriptConnection extends Connection {
  /** A variable of the environment. */
  readonly [variable: Uppercase<string>]: string | undefined;
}

/** Makes it of the variables. `mount` is the path of the script, where the request's URL has it. */
export function scriptConnection(
  variables: Variables,
  request: CgiRequest,
  mount: string,
): ScriptConnection {
  const own = Object.entries(variables).filter(([name]) => name === name.toUpperCase());
  const scheme = request.forwarded?.scheme;
  const protocol = variable(variables, "SERVER_PROTOCOL");
  const requestId = variable(variables, "X_REQUEST_ID") ?? variable(variables, "UNIQUE_ID");
  const connection: Connection = {
    remote: request.remote,
    local: localAddress(variables),
    secure: scheme == null ? isSecure(variables) : scheme === "https",
    user: verifiedUser(variables),
    mount,
    ...(protocol !== null && { protocol }),
    ...(requestId !== null && { requestId }),
  };
  return { ...Object.fromEntries(own), ...connection };
}

/** The server's end: `SERVER_ADDR` is everybody's but IIS's. */
function localAddress(variables: Variables): Connection["local"] & object | null {
  const hostname = variable(variables, "SERVER_ADDR") ?? variable(variables, "LOCAL_ADDR");
  return hostname === null ? null : { hostname, port: Number(variable(variables, "SERVER_PORT")) || 0 };
}

/**
 * The user, where the server has asked for a password. nginx sets `REMOTE_USER` to whatever a client says, but no
 * `AUTH_TYPE`; Python's `http.server` sets both.
 */
function verifiedUser(variables: Variables): Connection["user"] & object | null {
  const name = variable(variables, "REMOTE_USER");
  const scheme = variable(variables, "AUTH_TYPE");
  return name === null || scheme === null || isServer(variables, "SimpleHTTP") ? null : { name, scheme };
}
