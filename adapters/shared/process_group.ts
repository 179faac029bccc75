/**
 * Signals to a program and everything it started.
 *
 * @module
 */

import type { ChildProcess } from "../../src/runtime.ts";
import { errorCode } from "./system_error.ts";

/** Signals one group, and never another that was given its number later. */
export interface ProcessGroup {
  readonly stop: ChildProcess["stop"];
  /** Must be called at once when the program has ended; `isGone`: it is known that nothing of the group is left. */
  ended(isGone?: boolean): void;
}

/** `kill` is the runtime's own; the group's number is that of the program that leads it. */
export function processGroup(
  pid: number,
  kill: (pid: number, signal: "SIGTERM" | "SIGKILL" | 0) => unknown,
): ProcessGroup {
  let hasEnded = false;
  let gone = false;
  const send = (signal: "SIGTERM" | "SIGKILL" | 0): boolean => {
    if (gone) return false;
    try {
      kill(-pid, signal);
      return true;
    } catch (error) {
      if (!hasEnded) return sendToLeader(signal);
      // A number is not given away while a group has it: from here on, it may be.
      gone = errorCode(error) === "ESRCH" || isNotFound(error);
      return false;
    }
  };
  // Just started, it may still be about to make its group.
  const sendToLeader = (signal: "SIGTERM" | "SIGKILL" | 0): boolean => {
    try {
      kill(pid, signal);
      return true;
    } catch {
      return false;
    }
  };
  return {
    stop: (signal) => send(signal === "KILL" ? "SIGKILL" : "SIGTERM"),
    ended(isGone = false) {
      hasEnded = true;
      gone = isGone;
      send(0);
    },
  };
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && error.name === "NotFound";
}
