/**
 * What a worker and the one that started it say to each other.
 *
 * @module
 */

import type { Rejection } from "../../cgi/queue.ts";
import type { Secrets } from "../secrets.ts";
import type { SettingsFile } from "../sources.ts";

/** How full the queue is, for `Retry-After` and the log. */
export interface QueueState {
  readonly running: number;
  readonly waiting: number;
  readonly retryAfter: number;
}

/** What the starter has found out for all workers: one that starts later is to serve as the others do. */
export interface Orders {
  readonly port: number;
  /** The file of settings as it was when the first of them started. */
  readonly file: SettingsFile | null;
  /** Files that are never served. */
  readonly hide: readonly string[];
  readonly secrets: Secrets;
}

/** From a worker. */
export type FromWorker =
  /** Here I am: what do I serve, and where? */
  | { readonly type: "hello" }
  /** I answer requests. */
  | { readonly type: "listening" }
  /** I cannot, and end. */
  | { readonly type: "failed"; readonly message: string }
  /** May this client's script run? */
  | { readonly type: "enter"; readonly id: number; readonly client: string }
  /** It has run, or the client no longer waits. */
  | { readonly type: "leave"; readonly id: number };

/** To a worker. */
export type ToWorker =
  | { readonly type: "listen"; readonly orders: Orders }
  /** Certificate and passwords may have changed. */
  | { readonly type: "secrets"; readonly secrets: Secrets }
  /** The answer to `enter`; no rejection is a place, until `leave`. */
  | {
    readonly type: "place";
    readonly id: number;
    readonly rejection: Rejection | null;
    readonly state: QueueState;
  }
  /** Tell probes that the end is near. */
  | { readonly type: "drain" }
  /**
   * Take no more connections, and end; what runs may go on for so long, in milliseconds (default: without limit). A
   * later one may be shorter.
   */
  | { readonly type: "stop"; readonly graceMs?: number };
