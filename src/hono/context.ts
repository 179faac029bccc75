/**
 * What is used of Hono.
 *
 * @module
 */

/** What is used of Hono's `Context`. Any version's fits, so that nothing of Hono is imported, not even its types. */
export interface HonoContext {
  /** The request, and how Hono's router came to this middleware. */
  readonly req: {
    readonly raw: Request;
    /** The path as the router saw it. */
    readonly path: string;
    /** The pattern of the route that runs. */
    readonly routePath: string;
    /** Which of `matchedRoutes` runs. */
    readonly routeIndex: number;
    readonly matchedRoutes: readonly { readonly handler: (...args: never) => unknown }[];
    /** The body, also when other middleware has read it already. */
    arrayBuffer(): Promise<ArrayBuffer>;
  };
  /** What the server in front of Hono passed to `app.fetch`. */
  readonly env: unknown;
  /** What other middleware has set with `c.set()`. */
  readonly var: object;
}

/** A middleware, as `app.use()` takes it. */
export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<Response | void>;
