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
 * Adds the variables of a request's headers, but for `Authorization`.
 *
 * Only names of letters, digits and hyphens become one: `X_Foo` and `X.Foo` would be the same variable as `X-Foo`, and
 * so could replace what a proxy in front vouches for.
 */
export function addHeaders(
  variables: Record<string, string>,
  { headers }: { readonly headers: Pick<RequestFields, "forEach"> },
): void {
  headers.forEach((value, field) => {
    const variable = variableFor(field);
    if (variable !== null && variable !== AUTHORIZATION) addValue(variables, variable, value);
  });
}

/** Adds that of `Authorization`, if there is one. */
export function addAuthorization(
  variables: Record<string, string>,
  { headers }: { readonly headers: Pick<RequestFields, "get"> },
): void {
  const value = headers.get("authorization");
  if (value !== null) addValue(variables, AUTHORIZATION, value);
}

const AUTHORIZATION = "HTTP_AUTHORIZATION";

function addValue(variables: Record<string, string>, variable: string, value: string): void {
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return;
  variables[variable] = joinValues(variable, variables[variable], fieldText(value));
}

const known = new Map<string, string | null>();

/** Names come from requests: the memory of them must not grow with what clients think of. */
const MOST_KNOWN = 256;

/** `null` for none. Most fields have the names that they had before. */
function variableFor(field: string): string | null {
  let variable = known.get(field);
  if (variable === undefined) {
    const name = field.toLowerCase();
    const isOne = !WITHHELD.has(name) && /^[a-z0-9-]+$/.test(name);
    variable = isOne ? `HTTP_${name.toUpperCase().replaceAll("-", "_")}` : null;
    if (known.size >= MOST_KNOWN) known.clear();
    if (field.length < 64) known.set(field, variable);
  }
  return variable;
}

/** Cookies have a separator of their own (RFC 6265 section 4.2.1). */
function joinValues(variable: string, before: string | undefined, value: string): string {
  if (before === undefined) return value;
  return before + (variable === "HTTP_COOKIE" ? "; " : ", ") + value;
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
