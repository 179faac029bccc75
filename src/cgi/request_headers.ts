/**
 * Request headers as variables: `HTTP_*` (RFC 3875 section 4.1.18).
 *
 * @module
 */

import type { RequestFields } from "../at_once.ts";

/** Fields that are not the script's business, whatever the options. */
const WITHHELD: ReadonlySet<string> = new Set([
  // HTTP_PROXY would make many a script's own requests go through a proxy of the client's (httpoxy, CVE-2016-5386).
  "proxy",
  // CONTENT_LENGTH and CONTENT_TYPE say it already.
  "content-length",
  "content-type",
  // About this connection, not about the request (RFC 9110 section 7.6.1). Further names that a `Connection` field may
  // list are not withheld: a client could make a proxy's fields vanish with it.
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The variables of the request's headers.
 *
 * Only names of letters, digits and hyphens become one: `X_Foo` and `X.Foo` would be the same variable as `X-Foo`, and
 * so could replace what a proxy in front vouches for. `Authorization` only with `passAuthorization`.
 */
export function headerVariables(
  headers: Pick<RequestFields, "forEach">,
  passAuthorization: boolean,
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  headers.forEach((value, field) => {
    const name = field.toLowerCase();
    if (WITHHELD.has(name) || !/^[a-z0-9-]+$/.test(name)) return;
    if (name === "authorization" && !passAuthorization) return;
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return;
    const variable = `HTTP_${name.toUpperCase().replaceAll("-", "_")}`;
    const before = variables.get(variable);
    variables.set(variable, joinValues(name, before, fieldText(value)));
  });
  return variables;
}

/** Cookies have a separator of their own (RFC 6265 section 4.2.1). */
function joinValues(name: string, before: string | undefined, value: string): string {
  if (before === undefined) return value;
  return before + (name === "cookie" ? "; " : ", ") + value;
}

/**
 * A field's value as the client meant it. Runtimes hand values over with each byte as one character; a variable is
 * written in UTF-8, which would then be done twice.
 */
export function fieldText(value: string): string {
  if (!/[\x80-\xff]/.test(value) || /[^\x00-\xff]/.test(value)) return value;
  const bytes = Uint8Array.from(value, (character) => character.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return value;
  }
}
