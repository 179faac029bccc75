/**
 * A time limit that can be put off, for the price of one timer.
 *
 * @module
 */

import { now } from "../clock.ts";

/** Timers take no more (they would fire at once): 24.8 days. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** A limit that is running. */
export interface TimeLimit {
  /** Starts anew: what was waited for has happened. Costs no timer. */
  restart(): void;
  /** Starts anew with another length. */
  change(ms: number): void;
  /** Ends it. */
  clear(): void;
}

/** A timer that is so late, in milliseconds, says that this process stood still. */
const LATE_TIMER = 25;
/** Time to notice what happened while it did, in milliseconds. */
const CATCH_UP = 10;

/** Starts a limit; `Infinity` is none. Time in which this process stood still is not held against the other side. */
export function startTimeLimit(ms: number, onReached: () => void): TimeLimit {
  let length = ms;
  let since = now();
  let due = 0;
  let caughtUp = NaN;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function arm(left: number): void {
    due = now() + left;
    timer = length === Infinity ? undefined : setTimeout(check, Math.min(left, LONGEST_TIMER));
  }
  function check(): void {
    const time = now();
    const left = since + length - time;
    if (left > 0) arm(left);
    else if (time - due < LATE_TIMER || caughtUp === since) onReached();
    else {
      // Timers come before what has arrived: that may be just what was waited for. Once, or a busy server had no limits.
      caughtUp = since;
      arm(CATCH_UP);
    }
  }
  arm(length);
  return {
    restart() {
      since = now();
    },
    change(newLength) {
      clearTimeout(timer);
      length = newLength;
      since = now();
      arm(length);
    },
    clear() {
      clearTimeout(timer);
      length = Infinity;
    },
  };
}

/** What the promise gives, or `null` when it takes longer than `ms`. The timer does not outlive it. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  if (ms === Infinity) return await promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER), null));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
