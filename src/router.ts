/**
 * An ordered table of path patterns and handlers.
 *
 * @module
 */

import { askAtOnce, type AtOnce, type RequestHead } from "./at_once.ts";
import type { Connection, Handler } from "./handler.ts";
import { isRefusal, requestPath, requestUrl, targetPath } from "./request_path.ts";

/**
 * A pattern and who answers it. A pattern is a decoded path: `/status` is that path alone, `/cgi-bin/*` is everything
 * below `/cgi-bin/` and `/cgi-bin` itself, `/*` is everything. Anything with a `test(url)` method, such as a
 * `URLPattern`, is asked with the request's URL.
 */
export type Route = readonly [
  pattern: string | { test(url: string): boolean },
  handler: Handler,
];

/**
 * Makes one handler of several. The first route that matches and does not pass the request on answers it.
 *
 * A handler behind a `/prefix/*` pattern sees the prefix in `connection.mount`, and serves what comes after it:
 * `route([["/cgi-bin/*", cgi({ root: "./cgi-bin" })]])` runs `./cgi-bin/x` for `/cgi-bin/x`.
 *
 * Matching is done segment by segment on the decoded path, the same path that the handlers go by. Doubled slashes do
 * not match as one.
 *
 * @throws {TypeError} For a pattern that does not begin with a slash, or has a `*` elsewhere than at its end.
 *
 * @example
 * ```ts
 * import { type Route, route } from "htbin";
 *
 * const routes: Route[] = [
 *   ["/hello", () => new Response("Hello")],
 *   ["/*", () => new Response("Something else")],
 * ];
 * const handler = route(routes);
 * const response = await handler(new Request("http://localhost/hello"));
 * console.assert(await response?.text() === "Hello");
 * ```
 */
export function route(routes: Iterable<Route>): Handler {
  const table = Array.from(routes, ([pattern, handler]) => ({ match: compile(pattern), handler }));
  return Object.assign(handleRoute, { atOnce });

  async function handleRoute(request: Request, connection: Connection = {}): Promise<Response | undefined> {
    const url = requestUrl(request);
    const path = requestPath(url);
    const segments = isRefusal(path) ? null : path.segments;
    const mount = mountSegments(connection.mount);
    for (const { match, handler } of table) {
      const matched = match(segments, mount, url);
      if (typeof matched !== "string") continue;
      const response = await handler(request, matched === "" ? connection : below(connection, matched));
      if (response !== undefined) return response;
    }
    return undefined;
  }

  function atOnce(head: RequestHead, connection: Connection): ReturnType<AtOnce> {
    const path = targetPath(head.target);
    const segments = isRefusal(path) ? null : path.segments;
    const mount = mountSegments(connection.mount);
    for (const { match, handler } of table) {
      const matched = match(segments, mount, null);
      if (matched === undefined) return "later";
      if (matched === null) continue;
      const answer = askAtOnce(handler, head, matched === "" ? connection : below(connection, matched));
      if (answer !== undefined) return answer;
    }
    return undefined;
  }
}

/**
 * What a pattern consumed of the path below the mount (`""`, `/cgi-bin`), or `null` when it does not match. `undefined`
 * when it needs the URL to tell, and there is none.
 */
type Match = (
  segments: readonly string[] | null,
  mount: readonly string[],
  url: URL | null,
) => string | null | undefined;

function compile(pattern: Route[0]): Match {
  if (typeof pattern !== "string") {
    return (_segments, _mount, url) => url === null ? undefined : pattern.test(url.href) ? "" : null;
  }
  if (!pattern.startsWith("/") || pattern.slice(0, -1).includes("*")) {
    throw new TypeError(
      `Cannot use the pattern "${pattern}": it must begin with "/" and may have "*" only as its last segment`,
    );
  }
  // Everything, also a path that cannot be decoded: the handler behind it says what is wrong with it.
  if (pattern === "/*") return () => "";
  if (pattern.endsWith("/*")) {
    const prefix = pattern.slice(0, -2);
    const wanted = prefix.slice(1).split("/");
    return (segments, mount) => segments !== null && startsWith(segments, mount, wanted) ? prefix : null;
  }
  if (pattern.endsWith("*")) {
    throw new TypeError(`Cannot use the pattern "${pattern}": "*" must be a whole segment, as in "/files/*"`);
  }
  const wanted = pattern.slice(1).split("/");
  return (segments, mount) =>
    segments !== null && segments.length === mount.length + wanted.length &&
      startsWith(segments, mount, wanted)
      ? ""
      : null;
}

function startsWith(
  segments: readonly string[],
  mount: readonly string[],
  wanted: readonly string[],
): boolean {
  return mount.every((segment, index) => segments[index] === segment) &&
    wanted.every((segment, index) => segments[mount.length + index] === segment);
}

function mountSegments(mount: string | undefined): readonly string[] {
  return mount ? mount.slice(1).split("/") : [];
}

function below(connection: Connection, prefix: string): Connection {
  return { ...connection, mount: (connection.mount ?? "") + prefix };
}
