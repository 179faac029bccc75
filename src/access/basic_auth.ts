/**
 * Basic authentication (RFC 7617).
 *
 * @module
 */

import { checkOptions, either, hook, map, needed, type Shape, text } from "../check_options.ts";
import { errorRenderer, type RenderError } from "../error_page.ts";
import type { Handler } from "../handler.ts";
import { type CheckPassword, CONTROL, passwordChecker, TooManyChecks } from "./passwords.ts";

/** Options of {@linkcode basicAuth}. */
export interface BasicAuthOptions {
  /** Passwords by user, each as it is or as its bcrypt hash; or a function that says whether a password is right. */
  readonly users: Readonly<Record<string, string>> | CheckPassword;
  /** What the browser says the password is for. @default {"htbin"} */
  readonly realm?: string;
  /** Renders the pages of refusals. @default {errorPage} */
  readonly renderError?: RenderError;
}

const OPTIONS: Shape<BasicAuthOptions> = {
  users: needed(either(hook, map(text))),
  realm: text,
  renderError: hook,
};

/**
 * Answers only those who know a password; others get 401 and are asked for one.
 *
 * The handler behind it finds the user in `connection.user`; CGI scripts have it in `REMOTE_USER`, with `AUTH_TYPE`
 * `Basic`, and never see the password. It is meant for HTTPS: over HTTP everybody on the way can read the password.
 *
 * @throws {TypeError} For a user or password that is empty or that no client can send, and for a wrong option.
 *
 * @example
 * ```ts
 * import { basicAuth } from "htbin";
 *
 * const handler = basicAuth(
 *   { users: { ada: "1815" } },
 *   (_request, connection) => new Response(`Hello ${connection?.user?.name}`),
 * );
 * const headers = { authorization: `Basic ${btoa("ada:1815")}` };
 * const response = await handler(new Request("http://localhost/", { headers }));
 * console.assert(await response?.text() === "Hello ada");
 * console.assert((await handler(new Request("http://localhost/")))?.status === 401);
 * ```
 */
export function basicAuth(options: BasicAuthOptions, handler: Handler): Handler {
  checkOptions("basicAuth()", options, OPTIONS);
  const { users, realm = "htbin" } = options;
  const renderError = errorRenderer(options.renderError);
  const check = typeof users === "function" ? users : passwordChecker(users);
  const challenge = challengeFor(realm);
  return async function handleBasicAuth(request, connection) {
    const credentials = parseCredentials(request.headers.get("authorization"));
    try {
      if (credentials !== null && await check(credentials.user, credentials.password)) {
        const user = { name: credentials.user, scheme: "Basic" };
        connection?.onUser?.(user);
        return await handler(request, { ...connection, user });
      }
    } catch (error) {
      if (!(error instanceof TooManyChecks)) throw error;
      return await renderError({ status: 503, headers: { "retry-after": "5" }, request });
    }
    return await renderError({
      status: 401,
      explain: "A user name and a password are needed here.",
      headers: { "www-authenticate": challenge },
      request,
    });
  };
}

function challengeFor(realm: string): string {
  if (/[^\x20-\x7e]/.test(realm)) {
    throw new TypeError(`Cannot use the realm ${JSON.stringify(realm)}: it may hold printable ASCII alone`);
  }
  return `Basic realm="${realm.replace(/[\\"]/g, "\\$&")}", charset="UTF-8"`;
}

/** User and password, or `null` when there are none, or none that can be right. */
export function parseCredentials(
  field: string | null,
): { readonly user: string; readonly password: string } | null {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(field ?? "") ?? [];
  if (encoded === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const colon = text.indexOf(":");
    if (colon < 0 || CONTROL.test(text)) return null;
    return { user: text.slice(0, colon), password: text.slice(colon + 1) };
  } catch {
    return null;
  }
}
