/**
 * Answers with small files, kept in memory and given again for as long as the files are what they were.
 *
 * @module
 */

import type { PreparedResponse, RequestHead } from "../at_once.ts";
import { now } from "../clock.ts";
import type { AnswerFields } from "../fields.ts";
import type { Bytes, FileSystem } from "../runtime.ts";
import { collectEvidence, type Conclusion, type Evidence } from "./evidence.ts";
import type { MemoryOptions } from "./options.ts";
import { evaluateConditions } from "./preconditions.ts";
import type { FormOf } from "./representation.ts";
import type { RootSource } from "./roots.ts";
import type { Target } from "./target.ts";
import type { Validators } from "./validators.ts";

/** An answer that was just given, with all that may be asked of it again. */
export interface Answered {
  readonly target: Target;
  /** The mount that the request came with. */
  readonly mount: string | undefined;
  /** The fields of the request. */
  readonly asked: Pick<RequestHead["headers"], "get">;
  readonly evidence: Evidence;
  readonly validators: Validators;
  /** Whether the request's fields have chosen the form. */
  readonly varies: boolean;
  /** The answer to GET, where its body is at hand. */
  readonly get: { readonly fields: AnswerFields; readonly body: Bytes } | null;
  /** Of the answer to HEAD, where they are known. */
  readonly head: AnswerFields | null;
  /** Of 304. */
  readonly notModified: AnswerFields;
}

/** The memory of one handler. */
export interface Memory {
  /** Files up to this many bytes are kept. */
  readonly maxFileBytes: number;
  /** Starts to collect what an answer is decided by. */
  evidence(): Evidence;
  /** Keeps an answer, if it is one that can be vouched for. */
  keep(answered: Answered): void;
  /** The answer to a request, or `undefined` when it must be made. */
  recall(head: RequestHead, mount: string | undefined): PreparedResponse | undefined;
}

/** What a memory depends on. */
export interface MemoryHost {
  readonly observe: NonNullable<FileSystem["observe"]>;
  readonly roots: Pick<RootSource, "atHand">;
  /** `null` when no file has more than one form. */
  readonly formOf: FormOf | null;
}

/** One file's answers. */
interface Entry extends Conclusion {
  readonly mount: string | undefined;
  readonly validators: Validators;
  readonly get: PreparedResponse | null;
  readonly head: PreparedResponse | null;
  readonly notModified: PreparedResponse;
  /** In bytes, near enough. */
  readonly cost: number;
  checkedAt: number;
  /** Whether it was of use since room was last looked for. */
  isUsed: boolean;
}

/** What an entry takes beside its bodies and texts, in bytes. */
const OVERHEAD = 1024;

/** Makes a memory. */
export function createMemory(
  { maxBytes, maxFiles, maxFileBytes, trustMs }: Required<MemoryOptions>,
  { observe, roots, formOf }: MemoryHost,
): Memory {
  const entries = new Map<string, Entry>();
  let total = 0;

  function drop(key: string, { cost }: Entry): void {
    entries.delete(key);
    total -= cost;
  }

  /** Those that were of use since the last round get another: the clock, an approximation of least recently used. */
  function makeRoom(cost: number): void {
    for (const [key, entry] of entries) {
      if (entries.size < maxFiles && total + cost <= maxBytes) return;
      entries.delete(key);
      if (entry.isUsed) {
        entry.isUsed = false;
        entries.set(key, entry);
      } else total -= entry.cost;
    }
  }

  function isCurrent({ observations }: Entry): boolean {
    for (const observation of observations) if (!observation.isCurrent()) return false;
    return true;
  }

  /** `null` for what is decided elsewhere: a range, a condition that fails, a body that is not here. */
  function choose(
    { get, head, notModified, validators }: Entry,
    asked: RequestHead,
  ): PreparedResponse | null {
    const { method, headers } = asked;
    if (method === "GET" && headers.get("range") !== null) return null;
    const verdict = evaluateConditions(headers, validators);
    if (verdict === "failed") return null;
    if (verdict === "not-modified") return notModified;
    return method === "HEAD" ? head : get;
  }

  return {
    maxFileBytes: Math.min(maxFileBytes, maxBytes),
    evidence: () => collectEvidence(observe),
    keep(answered) {
      const { target, mount, evidence, get } = answered;
      const path = target.encoded;
      if (!isCanonical(path)) return;
      const key = answered.varies && formOf !== null ? `${path} ${formOf(answered.asked)}` : path;
      const before = entries.get(key);
      if (before !== undefined) {
        // Another request was quicker, or this one was asked of the files only because the roots had to be.
        const isAsGood = (before.get !== null || get === null) && before.mount === mount;
        if (isAsGood && before.roots === roots.atHand() && isCurrent(before)) return;
        drop(key, before);
      }
      const conclusion = evidence.conclude();
      if (conclusion === null) return;
      const entry = entryOf(answered, conclusion, key);
      if (entry.cost > maxBytes || maxFiles < 1) return;
      makeRoom(entry.cost);
      entries.set(key, entry);
      total += entry.cost;
    },
    recall(asked, mount) {
      const path = pathOf(asked.target);
      let key = path;
      let entry = entries.get(key);
      if (entry === undefined) {
        if (formOf === null) return undefined;
        key = `${path} ${formOf(asked.headers)}`;
        entry = entries.get(key);
        if (entry === undefined) return undefined;
      }
      const answer = choose(entry, asked);
      if (answer === null || entry.mount !== mount || entry.roots !== roots.atHand()) return undefined;
      const time = trustMs > 0 ? now() : 0;
      if (trustMs === 0 || time - entry.checkedAt >= trustMs) {
        if (!isCurrent(entry)) {
          drop(key, entry);
          return undefined;
        }
        entry.checkedAt = time;
      }
      entry.isUsed = true;
      return answer;
    },
  };
}

function entryOf(
  { mount, validators, ...answers }: Answered,
  { roots, observations }: Conclusion,
  key: string,
): Entry {
  const get = answers.get &&
    { status: 200, headers: answers.get.fields.toRecord(), body: answers.get.body };
  const head = answers.head && { status: 200, headers: answers.head.toRecord(), body: null };
  const notModified = { status: 304, headers: answers.notModified.toRecord(), body: null };
  const texts = JSON.stringify([get?.headers, head, notModified]);
  return {
    mount,
    validators,
    roots,
    observations,
    get,
    head,
    notModified,
    cost: (get?.body.byteLength ?? 0) + 2 * (key.length + texts.length) + OVERHEAD,
    checkedAt: now(),
    isUsed: false,
  };
}

function pathOf(target: string): string {
  const end = target.indexOf("?");
  return end < 0 ? target : target.slice(0, end);
}

/**
 * Whether a path is written as it is usually written. A client could ask for one file by millions of spellings; they are
 * answered, but do not push other files out of the memory.
 */
function isCanonical(path: string): boolean {
  return encodeURI(decodeURIComponent(path)).replace(/[?#]/g, encodeURIComponent) === path;
}
