/**
 * A time limit that can be put off, for the price of one timer.
 *
 * @module
 */

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

/** Starts a limit; `Infinity` is none. */
export function startTimeLimit(ms: number, onReached: () => void): TimeLimit {
  let length = ms;
  let since = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function arm(left: number): void {
    timer = length === Infinity ? undefined : setTimeout(check, Math.min(left, LONGEST_TIMER));
  }
  function check(): void {
    const left = since + length - performance.now();
    if (left > 0) arm(left);
    else onReached();
  }
  arm(length);
  return {
    restart() {
      since = performance.now();
    },
    change(newLength) {
      clearTimeout(timer);
      length = newLength;
      since = performance.now();
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
