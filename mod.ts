/**
 * Serves static files and runs CGI scripts, on Deno, Bun and Node.
 *
 * As a program it is Python's `http.server`, CGI included:
 *
 * ```sh
 * deno run -A jsr:@htbin/htbin --cgi 8000
 * npx htbin --cgi 8000
 * ```
 *
 * As a library it is a few request handlers and a server for them:
 *
 * ```ts
 * import { cgi, route, serve, staticFiles } from "htbin";
 *
 * const server = await serve({
 *   port: 0,
 *   handler: route([
 *     ["/cgi-bin/*", cgi({ root: "./cgi-bin" })],
 *     ["/*", staticFiles({ root: "./public" })],
 *   ]),
 * });
 * console.log(`Serving ${server.url}`);
 * await server.close();
 * ```
 *
 * @module
 */

import "./adapters/auto.ts";

export { allowHosts, type AllowHostsOptions } from "./src/access/allow_hosts.ts";
export { basicAuth, type BasicAuthOptions } from "./src/access/basic_auth.ts";
export { cors, type CorsOptions } from "./src/access/cors.ts";
export { parseHtpasswd } from "./src/access/htpasswd.ts";
export type { CheckPassword } from "./src/access/passwords.ts";
export type { AtOnce, PreparedResponse, RequestFields, RequestHead } from "./src/at_once.ts";
export { byMethod, type ByMethodOptions } from "./src/by_method.ts";
export { explainCgi, type Explanation } from "./src/cgi/explain.ts";
export { cgi } from "./src/cgi/mod.ts";
export { createQueue, type Place, type Queue, type QueueOptions, type Rejection } from "./src/cgi/queue.ts";
export type {
  CgiHandler,
  CgiLimits,
  CgiOptions,
  CgiTimeouts,
  ScriptCall,
  ScriptExit,
} from "./src/cgi/options.ts";
export { type ErrorPage, errorPage, type ErrorPageInit, type RenderError } from "./src/error_page.ts";
export { type Fetch, type FetchOptions, toFetch } from "./src/fetch.ts";
export type { AnsweringScript, Begun, Connection, Handler, Sent, VerifiedUser } from "./src/handler.ts";
export { health, type HealthHandler } from "./src/health.ts";
export { consoleLog } from "./src/log/console.ts";
export type {
  AccessEvent,
  Log,
  LogEvent,
  LogLevel,
  MessageEvent,
  ScriptErrorEvent,
  ScriptExitEvent,
} from "./src/log/events.ts";
export { formatEvent, type LogFormat } from "./src/log/format.ts";
export { type Route, route } from "./src/router.ts";
export {
  type Bytes,
  type ByteSpan,
  type ChildProcess,
  type Command,
  type DirectoryEntry,
  type ExitStatus,
  FileError,
  type FileErrorReason,
  type FileInfo,
  type FileKind,
  type FilePermissions,
  type FileSystem,
  type FileTransfer,
  type Listener,
  ListenError,
  type ListenErrorReason,
  type ListenOptions,
  type Network,
  type NetworkAddress,
  type Observation,
  type OpenFile,
  type ProcessHost,
  SpawnError,
  type SpawnErrorReason,
  type SpoolFile,
  type TlsOptions,
  type UserIdentity,
} from "./src/runtime.ts";
export { serve, type ServeOptions, type Server } from "./src/serve.ts";
export {
  site,
  type SiteCgiOptions,
  type SiteHandler,
  type SiteOptions,
  type SiteStaticOptions,
} from "./src/site.ts";
export { staticFiles } from "./src/static/mod.ts";
export type {
  CacheOptions,
  HeaderRule,
  Listing,
  ListingEntry,
  ListingSort,
  MemoryOptions,
  StaticOptions,
} from "./src/static/options.ts";
export { STATUSES, type StatusMeaning } from "./src/status.ts";
export { VERSION } from "./src/version.ts";
export { withHeaders } from "./src/with_headers.ts";

// Node 20 knows no `import.meta.main`: its entry file is cli.ts.
if ((import.meta as { main?: boolean }).main) await import("./cli.ts");
