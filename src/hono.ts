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
import type { HonoContext, HonoMiddleware } from "./hono/context.ts";
import { middleware } from "./hono/middleware.ts";
import { staticFiles as staticHandler } from "./static/mod.ts";
import type { StaticOptions } from "./static/options.ts";

export type { CgiHandler, CgiOptions, HonoContext, HonoMiddleware, StaticOptions };

/**
 * A middleware that runs scripts, with a way to end them all.
 *
 * @example
 * ```ts
 * import { Hono } from "hono";
 * import { cgi, type CgiMiddleware, type HonoContext, type HonoMiddleware, staticFiles } from "htbin/hono";
 *
 * const scripts: CgiMiddleware = cgi({ root: "examples/site/cgi-bin" });
 * const files: HonoMiddleware = staticFiles({ root: "examples/site" });
 * const seen: string[] = [];
 * const app = new Hono();
 * app.use(async (c, next) => {
 *   const { req }: HonoContext = c;
 *   seen.push(req.path);
 *   await next();
 * });
 * app.use("/cgi-bin/*", scripts);
 * app.use(files);
 * console.assert((await app.request("/style.css")).status === 200);
 * console.assert(seen[0] === "/style.css");
 * await scripts.close();
 * ```
 */
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
  const { mount, directories, extensions } = options;
  const isEverything = directories === undefined && extensions === undefined;
  return Object.assign(middleware(handler, { mount, answers: () => isEverything }), { close: handler.close });
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
  const handler = staticHandler({ fallthrough: true, ...options });
  return middleware(handler, {
    mount: options.mount,
    async answers(request, connection) {
      const response = await handler(request, connection);
      await response?.body?.cancel();
      return response !== undefined;
    },
  });
}
