/**
 * The meta-variables: what a script is told of its request (RFC 3875 section 4.1), and what else is in its environment.
 *
 * @module
 */

import type { RequestFields } from "../at_once.ts";
import type { Connection } from "../handler.ts";
import { hasInvalidHost, type HostAndPort } from "../host.ts";
import type { ProcessHost } from "../runtime.ts";
import { VERSION } from "../version.ts";
import { isWindowsHazard, isWindowsPath, joinPath } from "./file_path.ts";
import { createForwarded, type Forwarded, type ReadForwarded } from "./forwarded.ts";
import { INHERITED, inheritedVariables } from "./inherited.ts";
import { plainAddress } from "./ip_address.ts";
import type { CgiOptions, ScriptCall } from "./options.ts";
import { addAuthorization, addHeaders, fieldText } from "./request_headers.ts";
import type { Script } from "./script.ts";
import { addressAsHost, requestedHost } from "./server_name.ts";

/** What a script is asked: a request, or its head alone. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: RequestFields;
}

/** What follows from the request and the script alone, whoever asks. */
export interface RequestPart {
  readonly variables: Readonly<Variables>;
  /** The host that was asked for. */
  readonly host: HostAndPort | null;
}

/** A request for a script, with all that its variables are made from. */
export interface EnvironmentCall {
  /** A whole one where the `env` option is a function, which is given it. */
  readonly request: Request | Asked;
  /** The request's URL, from `requestUrl()`. */
  readonly url: URL;
  readonly connection: Connection;
  /** The request's name. Default: what the connection says. */
  readonly requestId?: string | undefined;
  readonly script: Script;
  /** Length in bytes of the body that the script can read, or `null` when there is none or nobody knows. */
  readonly contentLength: number | null;
  /** Milliseconds that the script has from its start until it is stopped, or `null` without a limit. */
  readonly deadlineMs: number | null;
  /** After a local redirect (RFC 3875 section 6.2.2): the path, percent-encoded, and the query that led here. */
  readonly redirectedFrom?:
    | { readonly url: string; readonly query: string }
    | null;
  /** What {@linkcode requestPart} has made of the same request for the same script. */
  readonly part?: RequestPart;
}

/** Makes the whole environment of a script. Throws only what the `env` function of the options throws. */
export type CreateVariables = (call: EnvironmentCall) => Record<string, string>;

/**
 * Prepares the making of environments.
 *
 * The order: what is computed, then the `env` option, which wins (and removes with `undefined`), then what is inherited
 * from the server for names that nobody has set or removed.
 *
 * @throws {TypeError} For an unusable name or value in `env`, or an unusable entry in `trustedProxies`.
 */
export function createEnvironment(
  options: CgiOptions,
  processes: ProcessHost,
): CreateVariables {
  const { env = {}, passAuthorization = false } = options;
  const software = options.serverSoftware ?? `htbin/${VERSION}`;
  const readForwarded = createForwarded(options.trustedProxies ?? []);
  const inherited = inheritedVariables(processes, options.inheritEnv ?? []);
  // No other variable has these names, so they come first: to add them to the others by name takes Node 20 long.
  const usual: Variables = {};
  for (const name of INHERITED) {
    const value = inherited.get(name);
    if (value !== undefined) usual[name] = value;
  }
  if (typeof env !== "function") checkVariables(env);

  return function createVariables(call) {
    const part = call.part ?? requestPart(call);
    // Not by a spread, which takes Node 20 longer than all the rest.
    const variables: Variables = Object.assign({ SERVER_SOFTWARE: software }, usual, part.variables);
    // A password that this server has verified is no business of the script's.
    if (passAuthorization && !call.connection.user) addAuthorization(variables, call.request);
    addPeers(variables, call, part, readForwarded);
    addExtensions(variables, call);
    const own = typeof env === "function" ? env(scriptCall(call)) : env;
    if (typeof env === "function") checkVariables(own);
    override(variables, own, inherited);
    return variables;
  };
}

type Variables = Record<string, string>;

/** Makes that part of the variables. */
export function requestPart(
  { request, url, script }: Pick<EnvironmentCall, "request" | "url" | "script">,
): RequestPart {
  const variables: Variables = { GATEWAY_INTERFACE: "CGI/1.1" };
  addHeaders(variables, request);
  if (hasInvalidHost(request)) delete variables["HTTP_HOST"];
  addRequest(variables, request, url);
  addScript(variables, script);
  return { variables, host: requestedHost(request, url) };
}

/** RFC 3875 sections 4.1.3, 4.1.7, 4.1.12, and REQUEST_URI. */
function addRequest(variables: Variables, request: Asked, url: URL): void {
  const query = rawQuery(request, url);
  variables["REQUEST_METHOD"] = request.method;
  variables["QUERY_STRING"] = query;
  variables["REQUEST_URI"] = url.pathname + (query === "" ? "" : `?${query}`);
  const type = request.headers.get("content-type");
  if (type) variables["CONTENT_TYPE"] = fieldText(type);
}

/** Sections 4.1.5, 4.1.6, 4.1.13, and what PHP and others go by. */
function addScript(variables: Variables, script: Script): void {
  variables["SCRIPT_NAME"] = script.scriptName;
  variables["SCRIPT_FILENAME"] = script.filename;
  variables["DOCUMENT_ROOT"] = script.documentRoot;
  if (script.pathInfo === null) return;
  variables["PATH_INFO"] = script.pathInfo;
  const translated = translatePath(script.documentRoot, script.pathInfo);
  if (translated !== null) variables["PATH_TRANSLATED"] = translated;
}

/** Sections 4.1.8 to 4.1.11, 4.1.14 to 4.1.16: who asks, and whom. */
function addPeers(
  variables: Variables,
  call: EnvironmentCall,
  part: RequestPart,
  readForwarded: ReadForwarded,
): void {
  const { request, url, connection } = call;
  const { remote = null, local = null, user = null } = connection;
  const forwarded = readForwarded(request.headers, remote);
  const address = forwarded?.address ?? plainAddress(remote?.hostname ?? "");
  const port = forwarded === null ? remote?.port : forwarded.port;
  variables["SERVER_PROTOCOL"] = connection.protocol ?? "HTTP/1.1";
  variables["REMOTE_ADDR"] = address;
  // No name look-up: slow, and the client's to choose. The section allows the address.
  variables["REMOTE_HOST"] = address;
  if (port) variables["REMOTE_PORT"] = String(port);
  if (user !== null) {
    variables["REMOTE_USER"] = user.name;
    variables["AUTH_TYPE"] = user.scheme;
  }
  const secure = connection.secure ?? url.protocol === "https:";
  const scheme = forwarded?.scheme ?? (secure ? "https" : "http");
  variables["REQUEST_SCHEME"] = scheme;
  if (scheme === "https") variables["HTTPS"] = "on";
  const host = forwarded?.host ?? part.host;
  variables["SERVER_NAME"] = host?.host ?? (local === null ? url.hostname : addressAsHost(local.hostname));
  variables["SERVER_PORT"] = String(serverPort(call, part, forwarded, scheme));
  if (local !== null) variables["SERVER_ADDR"] = plainAddress(local.hostname);
}

/** The port of the socket; behind a trusted proxy the port of that proxy. */
function serverPort(
  { url, connection }: EnvironmentCall,
  part: RequestPart,
  forwarded: Forwarded | null,
  scheme: string,
): number {
  const usual = scheme === "https" ? 443 : 80;
  if (forwarded?.serverPort) return forwarded.serverPort;
  if (forwarded?.host) return forwarded.host.port ?? usual;
  if (forwarded?.scheme) return part.host?.port ?? usual;
  return connection.local?.port || Number(url.port) || usual;
}

/** Section 4.1.2, and what no RFC has: for PHP, for logs, and for scripts that want to end by themselves. */
function addExtensions(variables: Variables, call: EnvironmentCall): void {
  const { requestId = call.connection.requestId } = call;
  if (call.contentLength !== null) variables["CONTENT_LENGTH"] = String(call.contentLength);
  // php-cgi runs nothing without it (cgi.force_redirect).
  variables["REDIRECT_STATUS"] = "200";
  if (call.redirectedFrom) {
    variables["REDIRECT_URL"] = call.redirectedFrom.url;
    variables["REDIRECT_QUERY_STRING"] = call.redirectedFrom.query;
  }
  if (requestId !== undefined) variables["X_REQUEST_ID"] = requestId;
  if (call.deadlineMs !== null && Number.isFinite(call.deadlineMs)) {
    variables["X_TIME_LIMIT_MS"] = String(Math.floor(call.deadlineMs));
  }
}

function override(
  variables: Variables,
  own: Readonly<Record<string, string | undefined>>,
  inherited: ReadonlyMap<string, string>,
): void {
  for (const name of Object.keys(own)) {
    const value = own[name];
    if (value === undefined) delete variables[name];
    else define(variables, name, value);
  }
  for (const [name, value] of inherited) {
    if (!Object.hasOwn(variables, name) && !Object.hasOwn(own, name)) define(variables, name, value);
  }
}

/** Of names that are somebody else's choice, one is none for an assignment. */
function define(variables: Variables, name: string, value: string): void {
  if (name !== "__proto__") variables[name] = value;
  else {Object.defineProperty(variables, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });}
}

function scriptCall({ request, connection, script }: EnvironmentCall): ScriptCall {
  if (!(request instanceof Request)) throw new TypeError("Cannot call env() without a whole request");
  return {
    request,
    connection,
    scriptFilename: script.filename,
    scriptName: script.scriptName,
    pathInfo: script.pathInfo,
  };
}

/**
 * The query as it was sent. A URL's own `search` has some characters percent-encoded (`"`, `<`, `'`), and section 4.1.7
 * wants it untouched; so the text of the request is used where it means the same.
 */
function rawQuery(request: Asked, url: URL): string {
  const parsed = url.search.slice(1);
  const start = request.url.indexOf("?");
  if (start < 0) return parsed;
  const raw = request.url.slice(start + 1).replace(/#.*$/s, "");
  if (raw === parsed || !/^[\x21-\x7e\x80-\uffff]*$/.test(raw)) return parsed;
  return new URL(`http://localhost/?${raw}`).search.slice(1) === parsed ? raw : parsed;
}

/**
 * The extra path as a file below the document root (section 4.1.6), whether or not there is one; `null` when it can be
 * none. It never leads outside (section 9.8).
 */
export function translatePath(
  documentRoot: string,
  pathInfo: string,
): string | null {
  const windows = isWindowsPath(documentRoot);
  const names = pathInfo.split("/").slice(1);
  const trailing = names.at(-1) === "" ? "/" : "";
  const kept = names.filter((name) => name !== "");
  if (kept.some((name) => name === "." || name === ".." || (windows && isWindowsHazard(name)))) {
    return null;
  }
  const path = joinPath(documentRoot, kept);
  return trailing === "" || path.endsWith("/") ? path : path + (windows ? "\\" : "/");
}

function checkVariables(
  variables: Readonly<Record<string, string | undefined>>,
): void {
  for (const [name, value] of Object.entries(variables)) {
    if (!/^[^=\0]+$/.test(name)) {
      throw new TypeError(`Cannot use ${JSON.stringify(name)} as the name of a variable`);
    }
    if (value !== undefined && (typeof value !== "string" || value.includes("\0"))) {
      throw new TypeError(`Cannot set the variable ${name}: its value must be text without NUL`);
    }
  }
}
