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
  if (kind === "file") return { write: (bytes) => writeSync(fd, bytes) };
  const own = kind === "pipe" ? openWithoutBlocking(fd) : null;
  return own === null ? { write: (bytes) => writeInThread(fd, bytes) } : {
    write(bytes) {
      try {
        return writeSync(own, bytes);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
        throw error;
      }
    },
  };
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
    write(fd, bytes, 0, bytes.length, null, (error, taken) => error ? reject(error) : resolve(taken));
  });
}
