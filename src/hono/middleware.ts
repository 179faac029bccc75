/**
 * A handler as a middleware for Hono.
 *
 * @module
 */

import type { Connection, Handler } from "../handler.ts";
import { respond } from "../response.ts";
import { connectionFrom } from "../server_bindings.ts";
import type { HonoContext, HonoMiddleware } from "./context.ts";
import { comparePaths } from "./path.ts";
import { remoteUser } from "./user.ts";

/** How a handler is mounted. */
export interface MiddlewareOptions {
  /** The mount, or `undefined` for the part of the path that the route consumed. */
  readonly mount: string | undefined;
  /** Whether the handler would answer a request, without doing what it asks for. */
  answers(request: Request, connection: Connection): boolean | Promise<boolean>;
}

/** Makes the middleware. What the handler passes on goes to the next one. */
export function middleware(handler: Handler, options: MiddlewareOptions): HonoMiddleware {
  return async (context, next) => {
    const path = comparePaths(context, options.mount);
    if (path !== null) {
      const request = await unreadRequest(context);
      const connection = { ...connectionOf(context), mount: path.mount };
      if (path.location === null) {
        const response = await handler(request, connection);
        if (response !== undefined) return response;
      } else if (await options.answers(request, connection)) {
        return respond(308, new Headers({ location: path.location, "content-length": "0" }), null);
      }
    }
    await next();
  };
}

/** The request, made again where other middleware (a validator, a log) has read its body. */
async function unreadRequest({ req }: HonoContext): Promise<Request> {
  const { raw } = req;
  if (!raw.bodyUsed) return raw;
  const { method, headers, signal } = raw;
  return new Request(raw.url, { method, headers, signal, body: await req.arrayBuffer() });
}

function connectionOf(context: HonoContext): Connection {
  const { requestId } = context.var as { readonly requestId?: unknown };
  const user = remoteUser(context);
  return {
    ...connectionFrom(context.req.raw, context.env),
    ...(typeof requestId === "string" && { requestId }),
    ...(user !== null && { user }),
  };
}
