/**
 * Who Hono's own middleware has found a client to be.
 *
 * @module
 */

import { parseCredentials } from "../access/basic_auth.ts";
import type { Connection } from "../handler.ts";
import type { HonoContext } from "./context.ts";

/**
 * The user, for `REMOTE_USER`: whom a middleware has set as `remoteUser` (a name, or a name with the scheme that it was
 * verified by), or else whom Hono's `basicAuth` has let pass on the way here. Nobody is believed for a header alone.
 */
export function remoteUser(context: HonoContext): NonNullable<Connection["user"]> | null {
  const { remoteUser: given } = context.var as { readonly remoteUser?: unknown };
  if (typeof given === "string") return { name: given, scheme: "Basic" };
  if (isUser(given)) return given;
  const { raw, matchedRoutes, routeIndex } = context.req;
  if (!matchedRoutes.slice(0, routeIndex).some(({ handler }) => isBasicAuth(handler))) return null;
  const credentials = parseCredentials(raw.headers.get("authorization"));
  return credentials === null ? null : { name: credentials.user, scheme: "Basic" };
}

function isUser(value: unknown): value is NonNullable<Connection["user"]> {
  const { name, scheme } = (value ?? {}) as { readonly name?: unknown; readonly scheme?: unknown };
  return typeof name === "string" && typeof scheme === "string";
}

const known = new WeakMap<object, boolean>();

/**
 * Whether a middleware is Hono's `basicAuth`, which lets nobody pass without the right password and leaves no other
 * trace. Its code tells: a function of the application's own that has only the name is not believed.
 */
function isBasicAuth(handler: (...args: never) => unknown): boolean {
  let is = known.get(handler);
  if (is === undefined) {
    const code = Function.prototype.toString.call(handler);
    is = code.includes(".verifyUser(") && code.includes(".invalidUserMessage") &&
      code.includes("WWW-Authenticate");
    known.set(handler, is);
  }
  return is;
}
