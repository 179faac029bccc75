/**
 * A status as a response: HTML, JSON or plain text, whichever the client prefers.
 *
 * @module
 */

import { accepts } from "#std/http/negotiation";
import { STATUS_TEXT, type StatusCode } from "#std/http/status";
import { respond } from "./response.ts";

/** What an error page is made from. */
export interface ErrorPage {
  /** The status code. */
  readonly status: number;
  /** A sentence for the client. Default: what the status means. Never holds a path of this machine. */
  readonly explain?: string;
  /** Headers the status requires, such as `Allow`. */
  readonly headers?: Headers | Readonly<Record<string, string>>;
  /** The request that it answers: its `Accept` chooses the format. */
  readonly request: Request;
}

/** Renders an error page: the hook for one's own. */
export type RenderError = (page: ErrorPage) => Response | Promise<Response>;

/** What the statuses that this server sends mean, in a sentence. */
const EXPLANATIONS: Readonly<Record<number, string>> = {
  400: "The request could not be understood.",
  403: "Access to this is not allowed.",
  404: "Nothing is here.",
  405: "This cannot be asked for with this method.",
  411: "The request must say how long its body is.",
  412: "A condition of the request does not hold.",
  413: "The request is too large.",
  416: "The requested part does not exist.",
  417: "The server cannot do what the request expects.",
  431: "The request's headers are too large.",
  500: "The server failed.",
  501: "The server does not know this method.",
  502: "A script did not answer properly.",
  503: "The server is busy. Try again shortly.",
  504: "A script did not answer in time.",
};

/**
 * The default error page. HTML, or JSON (`{"error":{"code","message","explain"}}`), or plain text by the request's
 * `Accept`; `Content-Length` always matches; a HEAD request gets the same headers. Never cached.
 *
 * @example
 * ```ts
 * import { errorPage } from "htbin";
 *
 * const request = new Request("http://localhost/x", { headers: { accept: "application/json" } });
 * const response = errorPage({ status: 404, request });
 * console.assert(response.status === 404);
 * console.assert((await response.json()).error.message === "Not Found");
 * ```
 */
export function errorPage(page: ErrorPage): Response {
  const { status, request } = page;
  const message = STATUS_TEXT[status as StatusCode] ?? "Error";
  const explain = page.explain ?? EXPLANATIONS[status] ?? "";
  const headers = new Headers(page.headers);
  const type = accepts(request, "text/html", "application/json", "text/plain") ?? "text/html";
  const body = new TextEncoder().encode(render(type, status, message, explain));
  headers.set("content-type", type === "application/json" ? type : `${type}; charset=utf-8`);
  headers.set("content-length", String(body.byteLength));
  headers.set("cache-control", "no-store");
  headers.set("vary", "accept");
  headers.set("x-content-type-options", "nosniff");
  if (type === "text/html") {
    headers.set("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'");
  }
  return respond(status, headers, request.method === "HEAD" ? null : body);
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
