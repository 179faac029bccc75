/**
 * What a worker and the one that started it say to each other.
 *
 * @module
 */

import type { Rejection } from "../../cgi/queue.ts";
import type { SelfSigned } from "../self_signed.ts";

/** How full the queue is, for `Retry-After` and the log. */
export interface QueueState {
  readonly running: number;
  readonly waiting: number;
  readonly retryAfter: number;
}

/** From a worker. */
export type FromWorker =
  /** Here I am: where do I listen? */
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
  | { readonly type: "listen"; readonly port: number; readonly selfSigned: SelfSigned | null }
  /** Certificate and passwords may have changed. */
  | { readonly type: "reload" }
  /** The answer to `enter`; no rejection is a place, until `leave`. */
  | {
    readonly type: "place";
    readonly id: number;
    readonly rejection: Rejection | null;
    readonly state: QueueState;
  }
  /** A signal to stop has come; the second one does not wait. */
  | { readonly type: "stop" };
