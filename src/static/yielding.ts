/**
 * Long work in short pieces, so that other requests get their turn.
 *
 * @module
 */

import { now } from "../clock.ts";

/** How long a piece may take, in milliseconds. */
const PIECE_MS = 0.5;

/** Waits until others had their turn. */
export type Turn = () => Promise<void>;

/** Where a runtime has nothing better: a timer takes a millisecond and more. */
const timer: Turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Call between steps of long work: lets the event loop run when it has waited for long enough. */
export function pacer(turn: Turn = timer): () => Promise<void> | undefined {
  let since = now();
  async function pause(): Promise<void> {
    await turn();
    since = now();
  }
  return () => now() - since < PIECE_MS ? undefined : pause();
}

/** Runs are sorted by the platform; this many take less than a millisecond. */
const RUN = 1024;

/** Sorts a copy, with pauses: a merge sort over runs. Stable. */
export async function sortWithPauses<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  turn?: Turn,
): Promise<T[]> {
  const pause = pacer(turn);
  let runs: T[][] = [];
  for (let start = 0; start < items.length; start += RUN) {
    runs.push(items.slice(start, start + RUN).sort(compare));
    await pause();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(await merge(runs[index] as T[], runs[index + 1] ?? [], compare, pause));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  pause: () => Promise<void> | undefined,
): Promise<T[]> {
  const merged: T[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length && r < right.length) {
    if (compare(left[l] as T, right[r] as T) <= 0) merged.push(left[l++] as T);
    else merged.push(right[r++] as T);
    if (merged.length % RUN === 0) await pause();
  }
  return merged.concat(left.slice(l), right.slice(r));
}
