/**
 * Standard output and standard error of this process, written to in such a way that the event loop never waits.
 *
 * Node's own streams do wait where they lead to a pipe or a terminal: a log reader that is stopped would stop the
 * server.
 *
 * @module
 */

import { constants, fstatSync, openSync, write, writeSync } from "node:fs";
import type { Sink } from "./output.ts";

/** The stream with this number. */
export function standardStream(fd: 1 | 2): Sink {
  const kind = kindOf(fd);
  // The disk always takes bytes.
  const own = kind === "file" ? fd : kind === "pipe" ? openWithoutBlocking(fd) : null;
  if (own === null) return { write: (bytes) => writeInThread(fd, bytes) };
  return {
    write(bytes) {
      try {
        return writeSync(own, bytes);
      } catch (error) {
        if (isBusy(error)) return 0;
        throw error;
      }
    },
  };
}

/** What a reader is who has more unread than the system keeps. */
function isBusy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EAGAIN";
}

function kindOf(fd: number): "file" | "pipe" | "other" {
  try {
    const stats = fstatSync(fd);
    if (stats.isFile()) return "file";
    return stats.isFIFO() || stats.isCharacterDevice() ? "pipe" : "other";
  } catch {
    // Closed before this process was started.
    return "other";
  }
}

/**
 * The same pipe or terminal once more. That writes to it fail instead of waiting is a property of an open file, and
 * this one is shared with others. `null` where the system has no such names, or refuses.
 */
function openWithoutBlocking(fd: number): number | null {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
}

function writeInThread(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, null, (error, taken) => {
      if (error === null) resolve(taken);
      else if (isBusy(error)) resolve(0);
      else reject(error);
    });
  });
}
