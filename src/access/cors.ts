/**
 * Cross-origin requests (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).
 *
 * @module
 */

import { changeable } from "../changeable.ts";
import { checkOptions, flag, list, number, type Shape, text } from "../check_options.ts";
import type { Connection, Handler } from "../handler.ts";
import { addVary } from "../header_field.ts";
import { respond } from "../response.ts";
import { changingHeaders } from "../with_headers.ts";

/** Options of {@linkcode cors}. */
export interface CorsOptions {
  /** Who may read the answers, such as `https://app.example.com`; `*` for every site. @default {["*"]} */
  readonly origins?: readonly string[];
  /**
   * Whether browsers send cookies and passwords along, and show the answers nevertheless. Needs `origins` other than
   * `*`. @default {false}
   */
  readonly credentials?: boolean;
  /** Methods that scripts of those sites may use. @default {GET, HEAD, POST, PUT, PATCH, DELETE} */
  readonly methods?: readonly string[];
  /** Request headers that they may set. @default {those that they ask for} */
  readonly allowHeaders?: readonly string[];
  /** Response headers that they can see. @default {all; with `credentials` those that htbin sends} */
  readonly exposeHeaders?: readonly string[];
  /** For how many seconds a browser need not ask again. @default {the browser's own default, about 5} */
  readonly maxAge?: number;
}

const OPTIONS: Shape<CorsOptions> = {
  origins: list(text),
  credentials: flag,
  methods: list(text),
  allowHeaders: list(text),
  exposeHeaders: list(text),
  maxAge: number,
};

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** What htbin sends of its own, beyond what every site can see (CORS-safelisted response-header names). */
const EXPOSED = [
  "Accept-Ranges",
  "Allow",
  "Content-Disposition",
  "Content-Encoding",
  "Content-Length",
  "Content-Range",
  "ETag",
  "Link",
  "Location",
  "Retry-After",
  "Vary",
];

/**
 * Lets the pages of other sites read what a handler answers, errors included.
 *
 * A preflight (`OPTIONS` with `Access-Control-Request-Method`) is answered here, before any password is asked for:
 * browsers send none with it. Any other `OPTIONS` is the handler's.
 *
 * @throws {TypeError} For `credentials` together with every site, an origin that is none, and a wrong option.
 *
 * @example
 * ```ts
 * import { cors, type CorsOptions, staticFiles } from "htbin";
 *
 * const options: CorsOptions = { origins: ["https://app.test"], credentials: true };
 * const handler = cors(options, staticFiles({ root: "examples/site" }));
 * const headers = { origin: "https://app.test" };
 * const response = await handler(new Request("http://localhost/", { headers }));
 * console.assert(response?.headers.get("access-control-allow-origin") === "https://app.test");
 * ```
 */
export function cors(options: CorsOptions, handler: Handler): Handler {
  checkOptions("cors()", options, OPTIONS);
  const { credentials = false, methods = METHODS, allowHeaders, maxAge } = options;
  const origins = checkedOrigins(options.origins ?? ["*"], credentials);
  const exposed = (options.exposeHeaders ?? (credentials ? EXPOSED : ["*", ...EXPOSED])).join(", ");

  /** Says who may read the answer. Returns whether the asking site may. */
  function allow(headers: Headers, origin: string | null): boolean {
    if (origins === null) {
      headers.set("access-control-allow-origin", "*");
      return true;
    }
    addVary(headers, "Origin");
    if (origin === null || !origins.has(origin)) return false;
    headers.set("access-control-allow-origin", origin);
    if (credentials) headers.set("access-control-allow-credentials", "true");
    return true;
  }

  function preflight(request: Request, origin: string | null): Response {
    const headers = new Headers({ vary: "Access-Control-Request-Headers" });
    if (allow(headers, origin)) {
      const wanted = allowHeaders?.join(", ") ?? request.headers.get("access-control-request-headers");
      headers.set("access-control-allow-methods", methods.join(", "));
      if (wanted) headers.set("access-control-allow-headers", wanted);
      if (maxAge !== undefined) headers.set("access-control-max-age", String(Math.floor(maxAge)));
    }
    return respond(204, headers, null);
  }

  const sharing = changingHeaders({
    // The sites that may not read get the same answer, whatever they are called.
    kindOf(fields) {
      const origin = fields.get("origin");
      return origin !== null && origins?.has(origin) ? origin : "";
    },
    put(answer, origin) {
      const response = changeable(answer);
      if (allow(response.headers, origin)) response.headers.set("access-control-expose-headers", exposed);
      return response;
    },
  }, handler);

  return Object.assign(handleCors, { atOnce: sharing.atOnce });

  function handleCors(request: Request, connection?: Connection): ReturnType<Handler> {
    if (request.method === "OPTIONS" && request.headers.has("access-control-request-method")) {
      return preflight(request, request.headers.get("origin"));
    }
    return sharing(request, connection);
  }
}

/**
 * The sites that may read; `null` for every site.
 *
 * @throws {TypeError} For what is no origin, and for every site with credentials.
 */
export function checkedOrigins(origins: readonly string[], credentials: boolean): ReadonlySet<string> | null {
  if (origins.includes("*")) {
    if (!credentials) return null;
    throw new TypeError(
      "Cannot let every site use a visitor's passwords: credentials need origins that are named",
    );
  }
  return new Set(origins.map((text) => {
    const origin = text === "null" ? "null" : URL.canParse(text) ? new URL(text).origin : "";
    if (!text.includes("*") && (text === origin || text === `${origin}/`)) return origin;
    throw new TypeError(
      `Cannot use the origin "${text}": give scheme and host, such as https://app.example.com`,
    );
  }));
}
