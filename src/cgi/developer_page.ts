/**
 * The page for a developer whose script failed: all that the log says, and what the script wrote.
 *
 * @module
 */

import { accepts } from "#std/http/negotiation";
import { escapeHtml } from "../error_page.ts";
import { respond } from "../response.ts";
import type { Bytes } from "../runtime.ts";
import { latin1 } from "./head.ts";

/** What the page tells. */
export interface Story {
  readonly request: Request;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What happened. */
  readonly story: string;
  /** The last lines of the script's standard error. */
  readonly words: readonly string[];
  /** The first bytes of its output. */
  readonly sample: Bytes | null;
}

type Section = readonly [title: string, text: string];

/** Renders the page: HTML for a browser, else plain text. */
export function developerPage(story: Story): Response {
  const { request, status, words, sample } = story;
  const sections: readonly Section[] = [
    ["What happened", story.story],
    ["Standard error", words.join("\n")],
    ["First bytes of its output", sample === null ? "" : visible(sample)],
  ];
  const shown = sections.filter(([, text]) => text !== "");
  const type = accepts(request, "text/plain", "text/html") === "text/html" ? "text/html" : "text/plain";
  const body = new TextEncoder().encode(type === "text/html" ? html(status, shown) : plain(status, shown));
  const headers = new Headers({
    ...story.headers,
    "cache-control": "no-store",
    "content-length": String(body.length),
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "content-type": `${type}; charset=utf-8`,
    "x-content-type-options": "nosniff",
  });
  return respond(status, headers, request.method === "HEAD" ? null : body);
}

function plain(status: number, sections: readonly Section[]): string {
  const parts = sections.map(([title, text]) => `\n${title}:\n${text}\n`);
  return `${status}: the script failed\n${parts.join("")}`;
}

function html(status: number, sections: readonly Section[]): string {
  const parts = sections.map(([title, text]) =>
    `<h2>${escapeHtml(title)}</h2>\n<pre>${escapeHtml(text)}</pre>`
  );
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>${status}: the script failed</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1.5rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid; padding-left: 1rem }
</style>
<h1>${status}: the script failed</h1>
${parts.join("\n")}
<p>Shown in development mode, and only to clients on this machine.</p>
</html>
`;
}

/** Output as text, with what cannot be seen spelled out. */
function visible(bytes: Bytes): string {
  return latin1(bytes).replace(/[^\n\x20-\x7e]/g, (character) => {
    if (character === "\r") return "\\r";
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
