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

/** Makes writes to this descriptor fail where they would wait. `false` where that cannot be. */
export type StopWaiting = (fd: number) => boolean;

/** The stream with this number. */
export function standardStream(fd: 1 | 2, stopWaiting: StopWaiting): Sink {
  const own = ownDescriptor(fd) ?? (stopWaiting(fd) ? fd : null);
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

const known = new Map<number, number | null>();

/**
 * A descriptor of the same file, pipe or terminal, writing to which never waits. `null` for a socket, for what belongs to
 * another user, and where the system cannot do that.
 */
export function ownDescriptor(fd: 1 | 2): number | null {
  // The disk always takes bytes.
  if (!known.has(fd)) known.set(fd, isFile(fd) ? fd : openWithoutBlocking(fd));
  return known.get(fd)!;
}

/** What a reader is who has more unread than the system keeps. */
function isBusy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EAGAIN";
}

/** Whether this descriptor leads to a file, writing to which waits for nobody. */
export function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    // Closed before this process was started.
    return false;
  }
}

/**
 * The same pipe or terminal once more. That writes to it fail instead of waiting is a property of an open file, and
 * this one is shared with others.
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
