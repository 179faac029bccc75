/**
 * Turns of the event loop, for those who have much to send.
 *
 * To read a piece and to send it may both be done at once. So whoever sends to a fast client would never let go of the
 * event loop: between two pieces, others get a turn.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Calls this after a turn of the event loop. */
type PassTurn = (callback: () => void) => void;

let pass: PassTurn = setImmediate;

/** Says how turns pass where `setImmediate()` does not let others in. */
export function passTurns(by: PassTurn): void {
  pass = by;
}

/** So much is sent in one turn, in bytes. */
const SHARE = 64 * 1024;

/** What each piece counts for in addition, however short. */
const EACH = 1024;

/** What somebody has sent since the last turn. */
export interface Share {
  /** Counts a piece; the next one is to wait for what this returns, if anything. */
  spend(bytes: number): Promise<void> | null;
}

/**
 * For a body that is about to be sent, or a connection that is read. Whoever sends little between the turns of others
 * waits for none of them.
 */
export function createShare(): Share {
  let spent = 0;
  let since = turns;
  return {
    spend(bytes) {
      if (since !== turns) spent = 0;
      since = turns;
      spent += bytes + EACH;
      if (spent < SHARE) return null;
      spent = 0;
      return turn();
    },
  };
}

/**
 * Waits for a turn of the event loop with nobody else in it who waits here. One turn of all who are sending would be too
 * long.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) pass(takeTurn);
  });
}

const waiting: (() => void)[] = [];

/** How many have been taken. */
let turns = 0;

function takeTurn(): void {
  turns++;
  waiting.shift()?.();
  if (waiting.length > 0) pass(takeTurn);
}
