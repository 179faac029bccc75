/**
 * From a path to an answer: file, index, listing, redirect, or one of the fallbacks.
 *
 * @module
 */

import { accepts } from "#std/http/negotiation";
import { addVary } from "../header_field.ts";
import { AnswerFields, type Fields } from "../fields.ts";
import type { StaticContext } from "./context.ts";
import { findIndex, isShowable } from "./directory.ts";
import type { Evidence } from "./evidence.ts";
import {
  type Asked,
  type Decorate,
  type FileAnswer,
  fileResponse,
  IN_MEMORY,
  notModifiedFields,
  sendSpan,
  toResponse,
  wholeFields,
} from "./file_response.ts";
import type { FoundDirectory, FoundFile } from "./lookup.ts";
import { redirect, withoutDoubledSlashes } from "./redirect.ts";
import type { Refusal } from "./refusal.ts";
import type { Representation } from "./representation.ts";
import type { Target } from "./target.ts";

/** The head of a GET or HEAD request for a path below the mount. */
export interface Exchange {
  readonly asked: Asked;
  readonly target: Target;
  /** Decoded segments of the mount. */
  readonly mount: readonly string[];
  /** The mount that the router said, if any. */
  readonly routed: string | undefined;
  /** Collects what the answer depends on, if it may be kept. */
  readonly evidence: Evidence | null;
}

/** What comes of it: an answer, or an error page that is to be made. */
export type Answer = FileAnswer | Response | Refusal;

/** The same, or what makes it of the whole request. */
export type Outcome = Answer | ((request: Request) => Promise<Answer>);

/** Whether it is a file's answer. Whoever asks of what class it is would have Node load that. */
export function isFileAnswer(outcome: Outcome): outcome is FileAnswer {
  return "fields" in outcome;
}

/** Whether there is to be an error page. */
export function isRefusal(answer: Answer): answer is Refusal {
  return !("body" in answer);
}

/** Nothing is there. */
interface Absent extends Refusal {
  /** A rule refuses the path: no fallback may answer in its place. */
  readonly byRule: boolean;
}

const ABSENT: Absent = { status: 404, byRule: false };

/** Answers, or says what refusal there is. */
export async function answer(context: StaticContext, exchange: Exchange): Promise<Outcome> {
  const { target } = exchange;
  if (target.hasDoubledSlash) {
    // Another handler in front of this one may have read the path differently: as a middleware, do not guess.
    if (context.fallthrough) return ABSENT;
    return redirect(withoutDoubledSlashes(target.encoded), target, headersFor(context, target));
  }
  const result = await answerPath(context, exchange);
  if (typeof result === "function" || result.status !== 404) return result;
  const byRule = "byRule" in result && result.byRule === true;
  return byRule || context.spa === null ? result : await answerNavigation(context, exchange, context.spa);
}

async function answerPath(context: StaticContext, exchange: Exchange): Promise<Outcome> {
  const { target, evidence } = exchange;
  const found = await context.lookup.find(target.segments, undefined, evidence);
  if (found.kind === "file") return await answerFile(context, exchange, found);
  if (found.kind === "directory") {
    if (target.isFolder) return await answerFolder(context, exchange, found);
    evidence?.spoil();
    if (await isShowable(context.view, found)) {
      return redirect(`${target.encoded}/`, target, headersFor(context, target));
    }
  } else if (found.byRule) return { status: found.status, byRule: true } as Absent;
  const page = await findCleanPage(context, exchange);
  return page === null ? ABSENT : await sendFile(context, exchange, page);
}

async function answerFile(
  context: StaticContext,
  exchange: Exchange,
  found: FoundFile,
): Promise<Outcome> {
  const { target } = exchange;
  // Python's servers answer 404 too: as a folder, a file would resolve its own relative links wrongly.
  if (target.isFolder && target.segments.length > 0) {
    await found.file.close();
    return ABSENT;
  }
  const clean = context.cleanUrls ? await cleanPath(context, found, exchange) : null;
  if (clean === null) return await sendFile(context, exchange, found);
  await found.file.close();
  return redirect(clean, target, headersFor(context, target));
}

async function answerFolder(
  context: StaticContext,
  exchange: Exchange,
  found: FoundDirectory,
): Promise<Outcome> {
  const index = await findIndex(context.view, found.segments, exchange.evidence);
  if (index !== null) return await sendFile(context, exchange, index);
  if (context.listing === null) return ABSENT;
  const { target, mount } = exchange;
  const { listingResponse } = await context.listing;
  const prefix = mount.map((segment) => `/${segment}`).join("");
  return async (request) => {
    const response = await listingResponse(context.view, {
      request,
      directory: found,
      path: prefix + target.path,
      mount: prefix,
      search: target.search,
      render: context.renderListing,
      codings: context.codings,
      decorate: (headers) => context.applyHeaders?.(headers, target.path, false),
    });
    return response === "failed" ? { status: 412 } : response;
  };
}

/** Sends a file with the headers of its own path, which for an index is not the path of the request. */
async function sendFile(
  context: StaticContext,
  exchange: Exchange,
  found: FoundFile,
  vary = "",
): Promise<FileAnswer | Refusal> {
  const { asked, evidence } = exchange;
  const path = `/${found.segments.join("/")}`;
  const decorate: Decorate = (headers) => {
    headers.set("cache-control", context.cacheControl(path));
    if (vary !== "") addVary(headers, vary);
    context.applyHeaders?.(headers, path, true);
  };
  const representation = await context.choose(found, asked, evidence);
  const inMemory = Math.max(IN_MEMORY, context.memory?.maxFileBytes ?? 0);
  const sent = await fileResponse(representation, asked, decorate, inMemory);
  if ("problem" in sent) return { status: sent.problem, headers: sent.headers };
  remember(context, exchange, representation, decorate, sent);
  return sent;
}

/** Keeps an answer for the next who asks. */
function remember(
  { memory }: StaticContext,
  { asked, target, routed, evidence }: Exchange,
  representation: Representation,
  decorate: Decorate,
  { status, fields, body }: FileAnswer,
): void {
  const isWhole = status === 200 || status === 304;
  if (memory === null || evidence === null || !isWhole) return;
  const isAtHand = asked.method === "GET" && body instanceof Uint8Array &&
    body.byteLength <= memory.maxFileBytes;
  if (!isAtHand && representation.onTheFly) return;
  memory.keep({
    target,
    mount: routed,
    asked: asked.headers,
    evidence,
    validators: representation.validators,
    varies: representation.varies,
    get: isAtHand ? { fields, body } : null,
    head: representation.onTheFly ? null : wholeFields(representation, decorate),
    notModified: notModifiedFields(representation, decorate),
  });
}

/** Headers of a redirect: the operator's, and no caching without asking. */
function headersFor(context: StaticContext, target: Target): (headers: Fields) => void {
  return (headers) => {
    headers.set("cache-control", "no-cache");
    context.applyHeaders?.(headers, target.path, false);
  };
}

/** With clean URLs: the page `name.html` for a path `name` that nothing else answers. */
async function findCleanPage(
  context: StaticContext,
  { target, evidence }: Exchange,
): Promise<FoundFile | null> {
  const last = target.segments.at(-1);
  if (!context.cleanUrls || target.isFolder || last === undefined) return null;
  const page = [...target.segments.slice(0, -1), `${last}.html`];
  const found = await context.lookup.find(page, undefined, evidence);
  return found.kind === "file" ? found : null;
}

/**
 * With clean URLs: where a request for `name.html` is sent to, or `null` when the file answers under its own name. It
 * does when the clean path would show something else.
 */
async function cleanPath(
  context: StaticContext,
  found: FoundFile,
  { target, evidence }: Exchange,
): Promise<string | null> {
  if (!found.name.endsWith(".html") || target.segments.length === 0) return null;
  evidence?.spoil();
  const folder = target.encoded.slice(0, target.encoded.lastIndexOf("/") + 1);
  const above = target.segments.slice(0, -1);
  if (context.view.index.includes(found.name)) {
    const index = await findIndex(context.view, above);
    await index?.file.close();
    return index?.name === found.name ? folder : null;
  }
  const name = found.name.slice(0, -".html".length);
  const other = await context.lookup.find([...above, name]);
  if (other.kind === "file") await other.file.close();
  const isFree = other.kind === "refused" ? !other.byRule : other.kind === "directory" &&
    !await isShowable(context.view, other);
  return isFree ? folder + encodeURIComponent(name) : null;
}

/**
 * The page of a single-page application, for navigations only: a missing script or image answered with a page would
 * break in stranger ways than with 404.
 */
async function answerNavigation(
  context: StaticContext,
  exchange: Exchange,
  page: readonly string[],
): Promise<Outcome> {
  const { asked, target } = exchange;
  const last = target.segments.at(-1) ?? "";
  if (
    last.includes(".") || !/(?:^|,)\s*text\/html\s*(?:,|;(?!\s*q=0(?:\.0*)?\s*(?:,|$))|$)/i.test(
      asked.headers.get("accept") ?? "",
    )
  ) return ABSENT;
  const found = await context.lookup.find(page);
  if (found.kind !== "file") return ABSENT;
  return await sendFile(context, { ...exchange, evidence: null }, found, "accept");
}

/**
 * The operator's page for 404, whole, whatever the request's conditions and ranges say: they are about a file that is
 * there (RFC 9110 section 13.2.1). `null` when there is none, or the client wants no HTML.
 */
export async function notFoundPage(context: StaticContext, request: Request): Promise<Response | null> {
  if (context.notFoundPage === null) return null;
  const found = await context.lookup.find(context.notFoundPage);
  if (found.kind !== "file") return null;
  const { file } = found;
  try {
    const type = context.typeOf(found.name);
    if (accepts(request, type.replace(/;.*/, "")) === undefined) {
      await file.close();
      return null;
    }
    const fields = new AnswerFields();
    fields.set("content-type", type);
    fields.set("cache-control", "no-cache");
    fields.set("vary", "accept");
    if (request.method !== "HEAD") {
      return toResponse(await sendSpan(404, fields, file, { offset: 0, length: file.info.size }));
    }
    fields.set("content-length", String(file.info.size));
    await file.close();
    return toResponse({ status: 404, fields, body: null });
  } catch (error) {
    await file.close();
    throw error;
  }
}
