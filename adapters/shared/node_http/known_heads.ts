/**
 * Requests by their bytes: what the parser has made of them once, it would make of the same bytes again.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { RequestHead } from "../../../src/at_once.ts";

/** Requests that have been parsed before. */
export interface KnownHeads {
  /** What the parser has made of these bytes. */
  recall(bytes: Buffer): RequestHead | undefined;
  /** Takes note of what it has made of them. */
  learn(bytes: Buffer, head: RequestHead): void;
}

/** A browser's heads have some hundred bytes, those with cookies some thousand. */
const MAX_BYTES = 4096;

/** With the most bytes that each may have, these take 4 MiB, and as much again for what was made of them. */
const MAX_REQUESTS = 1024;

/** An empty memory. */
export function createKnownHeads(): KnownHeads {
  const heads = new Map<string, RequestHead>();
  return {
    recall: (bytes) => bytes.length > MAX_BYTES ? undefined : heads.get(bytes.toString("latin1")),
    learn(bytes, head) {
      if (bytes.length > MAX_BYTES) return;
      // The one that was learned first goes first: if it is still asked for, it is learned again.
      if (heads.size >= MAX_REQUESTS) heads.delete(heads.keys().next().value!);
      heads.set(bytes.toString("latin1"), head);
    },
  };
}

const END_OF_HEAD = Buffer.from("\r\n\r\n");

/** Whether these bytes are all of one head, if the parser has found one request in them. */
export function isOneHead(bytes: Buffer): boolean {
  return bytes.length <= MAX_BYTES && bytes.indexOf(END_OF_HEAD) === bytes.length - END_OF_HEAD.length;
}
