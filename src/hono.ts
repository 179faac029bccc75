/**
 * `cgi()` and `staticFiles()` as middleware for Hono.
 *
 * ```ts
 * import { Hono } from "hono";
 * import { cgi, staticFiles } from "htbin/hono";
 *
 * const app = new Hono();
 * app.get("/hello", (c) => c.text("Hello"));
 * app.use("/cgi-bin/*", cgi({ root: "./cgi-bin" }));
 * app.use("*", staticFiles({ root: "./public" }));
 * ```
 *
 * What nothing here answers goes on to the next handler, and in the end to `app.notFound`.
 *
 * @module
 */

import "../adapters/auto.ts";
import { cgi as cgiHandler } from "./cgi/mod.ts";
import type { CgiHandler, CgiOptions } from "./cgi/options.ts";
import type { Connection, Handler } from "./handler.ts";
import { isRefusal, requestPath, requestUrl } from "./request_path.ts";
import { connectionFrom } from "./server_bindings.ts";
import { staticFiles as staticHandler } from "./static/mod.ts";
import type { StaticOptions } from "./static/options.ts";

export type { CgiHandler, CgiOptions, StaticOptions };

/** What is used of Hono's `Context`. Any version's fits, so that nothing of Hono is imported, not even its types. */
export interface HonoContext {
  /** The request, and the pattern of the route that runs. */
  readonly req: { readonly raw: Request; readonly routePath: string };
  /** What the server in front of Hono passed to `app.fetch`. */
  readonly env: unknown;
  /** What other middleware has set. */
  get(key: "requestId"): unknown;
}

/** A middleware, as `app.use()` takes it. */
export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<Response | void>;

/** A middleware that runs scripts, with a way to end them all. */
export type CgiMiddleware = HonoMiddleware & Pick<CgiHandler, "close">;

/**
 * Runs CGI scripts for the paths that it is mounted at: with `app.use("/cgi-bin/*", cgi({ root: "./cgi-bin" }))`,
 * `/cgi-bin/hello.py` runs `./cgi-bin/hello.py`.
 *
 * @throws {TypeError} When an option makes no sense.
 *
 * @example
 * ```ts
 * import { Hono } from "hono";
 * import { cgi } from "htbin/hono";
 *
 * const app = new Hono();
 * app.use("/cgi-bin/*", cgi({ root: "./cgi-bin" }));
 * console.assert((await app.request("/cgi-bin/missing.py")).status === 404);
 * ```
 */
export function cgi(options: CgiOptions): CgiMiddleware {
  const handler = cgiHandler(options);
  return Object.assign(middleware(handler, options.mount), { close: handler.close });
}

/**
 * Serves the files of a folder for the paths that it is mounted at: with
 * `app.use("/static/*", staticFiles({ root: "./public" }))`, `/static/style.css` is `./public/style.css`. A path without
 * a file, and a method other than GET and HEAD, go on to the next handler.
 *
 * @throws {TypeError} When an option makes no sense.
 *
 * @example
 * ```ts
 * import { Hono } from "hono";
 * import { staticFiles } from "htbin/hono";
 *
 * const app = new Hono();
 * app.use("/tests/*", staticFiles({ root: "./tests" }));
 * console.assert((await app.request("/tests/hono_test.ts")).status === 200);
 * ```
 */
export function staticFiles(options: StaticOptions): HonoMiddleware {
  return middleware(staticHandler({ fallthrough: true, ...options }), options.mount);
}

function middleware(handler: Handler, mount: string | undefined): HonoMiddleware {
  return async (context, next) => {
    const prefix = mount ?? mountOf(context);
    if (prefix !== null) {
      const response = await handler(context.req.raw, { ...connectionOf(context), mount: prefix });
      if (response !== undefined) return response;
    }
    await next();
  };
}

/**
 * The part of the path that Hono's route consumed: `/cgi-bin` for `/cgi-bin/*`, `/ada/files` for `/:user/files/*`.
 *
 * Hono matches the path as it came, this library goes by the normalised one. Where the two disagree (`/cgi-bin/../x`),
 * the answer is `null`: not ours. Otherwise a path could get around a middleware that is mounted beside this one.
 */
function mountOf(context: HonoContext): string | null {
  const pattern = routePattern(context);
  if (pattern === null) return "";
  const path = requestPath(requestUrl(context.req.raw));
  if (isRefusal(path)) return "";
  const consumed = path.segments.slice(0, pattern.length);
  const agrees = pattern.every((part, at) => part.startsWith(":") ? !!consumed[at] : part === consumed[at]);
  return agrees ? consumed.map((segment) => `/${segment}`).join("") : null;
}

/** The segments before the final `*` of the route that runs, or `null` when it does not end in one. */
function routePattern(context: HonoContext): readonly string[] | null {
  const segments = context.req.routePath.split("/").slice(1);
  if (segments.pop() !== "*") return null;
  // An optional or regular-expression parameter may take any number of segments, so that they cannot be counted.
  const unclear = segments.find((segment) => /[*?{]/.test(segment));
  if (unclear === undefined) return segments;
  throw new TypeError(
    `Cannot tell where the route "${context.req.routePath}" mounts its files: "${unclear}" may stand for several ` +
      "segments; give the option `mount`",
  );
}

function connectionOf(context: HonoContext): Connection {
  const requestId = context.get("requestId");
  const connection = connectionFrom(context.req.raw, context.env);
  return typeof requestId === "string" ? { ...connection, requestId } : connection;
}
