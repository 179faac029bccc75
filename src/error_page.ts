/**
 * A status as a response: HTML, JSON or plain text, whichever the client prefers.
 *
 * @module
 */

import { accepts } from "#std/http/negotiation";
import { changeable } from "./changeable.ts";
import { AnswerFields } from "./fields.ts";
import { respond } from "./response.ts";
import type { Bytes } from "./runtime.ts";
import { STATUSES } from "./status.ts";

/** What an error page says. */
export interface ErrorPage {
  /** The status code. */
  readonly status: number;
  /** The status in a few words, such as `Not Found`. */
  readonly message: string;
  /** A sentence for the client. Never holds a path of this machine. */
  readonly explain: string;
  /** Headers that the status requires, such as `Allow`. A page of one's own that lacks them gets them. */
  readonly headers?: Headers | Readonly<Record<string, string>>;
  /** The request that it answers: its `Accept` chooses the format. */
  readonly request: Request;
}

/**
 * What an error page is made from: what is not said is what the status means, as in {@linkcode STATUSES}.
 *
 * @example
 * ```ts
 * import { type ErrorPage, errorPage, type ErrorPageInit } from "htbin";
 *
 * const request = new Request("http://localhost/", { headers: { accept: "text/plain" } });
 * const init: ErrorPageInit = { status: 503, explain: "Back at noon.", request };
 * console.assert(await errorPage(init).text() === "503 Service Unavailable\nBack at noon.\n");
 * const page: ErrorPage = { ...init, message: "Lunch", explain: "Back at noon." };
 * console.assert(await errorPage(page).text() === "503 Lunch\nBack at noon.\n");
 * ```
 */
export type ErrorPageInit = Pick<ErrorPage, "status" | "request"> & Partial<ErrorPage>;

/**
 * Renders an error page: the hook for one's own. A page of the status 200, which is what a `Response` has that names
 * none, gets the status of the error; any other status is kept.
 *
 * @example
 * ```ts
 * import { type RenderError, staticFiles } from "htbin";
 *
 * const renderError: RenderError = ({ status, message, explain }) =>
 *   new Response(`${status} ${message}: ${explain}`, { status });
 * const handler = staticFiles({ root: "examples/site", renderError });
 * const response = await handler(new Request("http://localhost/missing"));
 * console.assert(await response?.text() === "404 Not Found: Nothing is here.");
 * ```
 */
export type RenderError = (page: ErrorPage) => Response | Promise<Response>;

/** Statuses whose responses have no body (RFC 9110 section 6.4.1), or are not to have one (15.3.6). */
function isBodiless(status: number): boolean {
  return status < 200 || status === 204 || status === 205 || status === 304;
}

/**
 * The default error page. HTML, or JSON (`{"error":{"code","message","explain"}}`), or plain text by the request's
 * `Accept`; `Content-Length` always matches; a HEAD request gets the same headers. Never cached. Statuses that have no
 * body (204, 205, 304) get none.
 *
 * @throws {RangeError} For a status that a `Response` cannot have, such as 100.
 *
 * @example
 * ```ts
 * import { errorPage } from "htbin";
 *
 * const request = new Request("http://localhost/x", { headers: { accept: "application/json" } });
 * const response = errorPage({ status: 404, request });
 * console.assert(response.status === 404);
 * console.assert((await response.text()).startsWith('{"error":{"code":404,"message":"Not Found"'));
 * ```
 */
export function errorPage(page: ErrorPageInit): Response {
  const { status, fields, body } = errorAnswer(page);
  return respond(status, fields.toHeaders(), body);
}

/** The default error page, before it is a response. */
export interface ErrorAnswer {
  readonly status: number;
  readonly fields: AnswerFields;
  readonly body: Bytes | null;
}

/** Makes it. */
export function errorAnswer(
  page: Omit<ErrorPageInit, "request"> & { readonly request: Pick<Request, "method" | "headers"> },
): ErrorAnswer {
  const { request } = page;
  const { status, message, explain } = completePage(page);
  const fields = new AnswerFields();
  if (page.headers !== undefined) {
    for (const [name, value] of new Headers(page.headers)) fields.append(name, value);
  }
  fields.set("cache-control", "no-store");
  if (isBodiless(status)) return { status, fields, body: null };
  const type = accepts(request, "text/html", "application/json", "text/plain") ?? "text/html";
  const body = new TextEncoder().encode(render(type, status, message, explain));
  fields.set("content-type", type === "application/json" ? type : `${type}; charset=utf-8`);
  fields.set("content-length", String(body.byteLength));
  fields.set("vary", "accept");
  fields.set("x-content-type-options", "nosniff");
  if (type === "text/html") {
    fields.set("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'");
  }
  return { status, fields, body: request.method === "HEAD" ? null : body };
}

function completePage<Page extends Omit<ErrorPageInit, "request">>(
  page: Page,
): Page & Pick<ErrorPage, "message" | "explain"> {
  const { message = "Error", explain = "" } = STATUSES[page.status] ?? {};
  return { ...page, message: page.message ?? message, explain: page.explain ?? explain };
}

/** Makes an error page of what is known of an error. */
export type ShowError = (page: ErrorPageInit) => Response | Promise<Response>;

/** What shows errors with this hook; without one, {@linkcode errorPage}. */
export function errorRenderer(renderError: RenderError | undefined): ShowError {
  if (renderError === undefined) return errorPage;
  return async (init) => {
    const page = completePage(init);
    const response = withStatus(changeable(await renderError(page)), page.status);
    for (const [name, value] of new Headers(page.headers)) {
      if (!response.headers.has(name)) response.headers.set(name, value);
    }
    return response;
  };
}

/** A page that names no status of its own is not a success: it has the error's. */
function withStatus(response: Response, status: number): Response {
  if (response.status !== 200) return response;
  return respond(status, response.headers, isBodiless(status) ? null : response.body);
}

function render(type: string, status: number, message: string, explain: string): string {
  if (type === "application/json") {
    return JSON.stringify({ error: { code: status, message, explain } }) + "\n";
  }
  if (type === "text/plain") return `${status} ${message}\n${explain}\n`;
  return html(status, message, explain);
}

function html(status: number, message: string, explain: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${status} ${escapeHtml(message)}</title>
<style>
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto 0; padding: 0 1.5rem }
h1 { font-size: 1.4rem; margin: 0 }
h1 b { font-size: 3.5rem; display: block; font-weight: 300; line-height: 1.1 }
p { opacity: .8 }
</style>
<h1><b>${status}</b>${escapeHtml(message)}</h1>
<p>${escapeHtml(explain)}</p>
</html>
`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text made safe inside HTML, in elements and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}
