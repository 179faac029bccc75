/**
 * The request that a server has handed to this script.
 *
 * @module
 */

import { createForwarded, type Forwarded } from "../cgi/forwarded.ts";
import type { NetworkAddress } from "../runtime.ts";
import { createBody } from "./body.ts";
import { toOctets } from "./octets.ts";
import { ScriptRequestError } from "./request_error.ts";
import { type ScriptUrl, scriptUrl } from "./script_url.ts";
import { isServer, variable, type Variables } from "./variables.ts";

/** How a request is made of meta-variables. */
export interface RequestOptions {
  /**
   * Where the script is for its clients, decoded, such as `/api`: for a server that rewrites paths. Default:
   * `SCRIPT_NAME`.
   */
  readonly basePath?: string;
  /**
   * Addresses of proxies, such as `127.0.0.1` or `10.0.0.0/8`, whose `Forwarded` and `X-Forwarded-*` fields are believed
   * when `REMOTE_ADDR` is one of them. Default: none.
   */
  readonly trustedProxies?: readonly string[];
}

/** What the variables say. */
export interface CgiRequest {
  readonly method: string;
  readonly url: ScriptUrl;
  readonly headers: Headers;
  /** Bytes of the body; 0: none; `null`: up to the end of the input. */
  readonly length: number | null;
  /** The nearest address that is not a trusted proxy's. */
  readonly remote: NetworkAddress | null;
  /** What trusted proxies say. */
  readonly forwarded: Forwarded | null;
}

/**
 * Makes a request of a CGI environment and the body on standard input. Its URL is the one that the client asked for: the
 * Script-URI of RFC 3875 section 3.3, spelled as in `REQUEST_URI` where that is the same. No more than `CONTENT_LENGTH`
 * bytes of the body are taken, when they are asked for; a body that ends before that fails.
 *
 * @throws {ScriptRequestError} When the variables make no request: a `Host` that is none, a path that is none.
 * @throws {TypeError} For an entry of `trustedProxies` that is no address.
 *
 * @example
 * ```ts
 * import { requestFromEnv, type RequestOptions, type Variables } from "htbin/cgi-script";
 *
 * const variables: Variables = {
 *   REQUEST_METHOD: "GET",
 *   HTTP_HOST: "example.com",
 *   SCRIPT_NAME: "/cgi-bin/app",
 *   PATH_INFO: "/a b",
 *   QUERY_STRING: "c=d",
 * };
 * console.assert(requestFromEnv(variables, null).url === "http://example.com/cgi-bin/app/a%20b?c=d");
 * const options: RequestOptions = { basePath: "/app" };
 * console.assert(requestFromEnv(variables, null, options).url === "http://example.com/app/a%20b?c=d");
 * ```
 */
export function requestFromEnv(
  env: Variables,
  stdin: ReadableStream<Uint8Array> | null,
  options: RequestOptions = {},
): Request {
  const call = readRequest(env, options);
  const { origin, scriptPath, pathInfo, search } = call.url;
  const body = stdin !== null && hasBody(call) ? createBody(stdin, call.length).stream : null;
  return makeRequest(call, origin + scriptPath + pathInfo + search, body);
}

/** Reads the variables. */
export function readRequest(variables: Variables, options: RequestOptions): CgiRequest {
  const method = variable(variables, "REQUEST_METHOD");
  if (method === null) throw new ScriptRequestError(400, "There is no REQUEST_METHOD");
  // What the Fetch standard forbids, and what is no token.
  if (/^(?:connect|trace|track)$/i.test(method) || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) {
    throw new ScriptRequestError(
      501,
      `REQUEST_METHOD is ${JSON.stringify(method)}, which no Request can have`,
    );
  }
  const headers = readHeaders(variables);
  const remote = remoteAddress(variables);
  const forwarded = createForwarded(options.trustedProxies ?? [])(headers, remote);
  return {
    method,
    url: scriptUrl(variables, options.basePath?.replace(/\/$/, ""), forwarded),
    headers,
    length: bodyLength(variables),
    remote: forwarded === null ? remote : { hostname: forwarded.address, port: forwarded.port ?? 0 },
    forwarded,
  };
}

/** Makes the request that is seen at this URL. */
export function makeRequest(
  { method, headers }: CgiRequest,
  url: string,
  body: ReadableStream<Uint8Array> | null,
  signal?: AbortSignal,
): Request {
  const request = new Request(url, {
    method,
    headers,
    ...(body !== null && { body, duplex: "half" }),
    ...(signal !== undefined && { signal }),
  } as RequestInit);
  // Bun makes GET of a method that it does not know.
  if (request.method.toUpperCase() === method.toUpperCase()) return request;
  throw new ScriptRequestError(501, `REQUEST_METHOD is ${method}, which this runtime does not know`);
}

/** Whether the request has a body that a `Request` can have. */
export function hasBody({ method, length }: CgiRequest): boolean {
  return length !== 0 && method !== "GET" && method !== "HEAD";
}

/** Variables of fields that are not the client's own, or that another variable has. */
const WITHHELD: ReadonlySet<string> = new Set([
  // CONTENT_LENGTH and CONTENT_TYPE count.
  "HTTP_CONTENT_LENGTH",
  "HTTP_CONTENT_TYPE",
  // The way to a proxy for this program's own requests, never a field of a request (httpoxy, CVE-2016-5386).
  "HTTP_PROXY",
  // The server has removed it.
  "HTTP_TRANSFER_ENCODING",
]);

function readHeaders(variables: Variables): Headers {
  const headers = new Headers();
  for (const name of Object.keys(variables)) {
    const field = fieldName(name);
    const value = field === null ? null : variable(variables, name);
    // Empty is not there, and Python sets it where the client has sent nothing.
    if (field === null || value === null || /[\0\r\n]/.test(value)) continue;
    headers.set(field, toOctets(value));
  }
  if (!headers.has("authorization")) {
    const redirected = redirectedAuthorization(variables);
    if (redirected !== null) headers.set("authorization", toOctets(redirected));
  }
  return headers;
}

/** The field that a variable is made of (RFC 3875 section 4.1.18), or `null`. */
function fieldName(variableName: string): string | null {
  if (variableName === "CONTENT_TYPE") return "content-type";
  if (variableName === "CONTENT_LENGTH") return "content-length";
  if (!/^HTTP_[A-Z0-9_]+$/.test(variableName) || WITHHELD.has(variableName)) return null;
  return variableName.slice(5).toLowerCase().replaceAll("_", "-");
}

/** What Apache makes of a variable that was set before a rewriting. */
function redirectedAuthorization(variables: Variables): string | null {
  const name = Object.keys(variables).find((name) => /^(?:REDIRECT_)+HTTP_AUTHORIZATION$/.test(name));
  return name === undefined ? null : variable(variables, name);
}

function remoteAddress(variables: Variables): NetworkAddress | null {
  const hostname = variable(variables, "REMOTE_ADDR");
  if (hostname === null) return null;
  const port = Number(variable(variables, "REMOTE_PORT"));
  return { hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port: port >= 0 && port <= 65535 ? port : 0 };
}

function bodyLength(variables: Variables): number | null {
  const length = variable(variables, "CONTENT_LENGTH");
  if (length === null) {
    if (variable(variables, "HTTP_TRANSFER_ENCODING") === null) return 0;
    // Apache decodes the chunks and closes; busybox hands them over as they are.
    if (isServer(variables, "Apache")) return null;
    throw new ScriptRequestError(411, "The server hands over a body and does not say how long it is");
  }
  if (/^\d+$/.test(length) && Number.isSafeInteger(Number(length))) return Number(length);
  throw new ScriptRequestError(400, `CONTENT_LENGTH is ${JSON.stringify(length)}, which is no length`);
}
