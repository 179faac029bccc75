/**
 * What an answer was decided by: with it, the same answer can be given again without looking for the file again.
 *
 * @module
 */

import type { FileInfo, FileSystem, Observation } from "../runtime.ts";
import type { Roots } from "./roots.ts";

/** Collects it while a request is being answered. */
export interface Evidence {
  /** These roots were looked in. */
  within(roots: Roots): void;
  /** A file was opened under this path, with no link on the way below the root. */
  found(root: string, segments: readonly string[], info: FileInfo): void;
  /** Nothing was there. */
  absent(root: string, segments: readonly string[]): void;
  /** The answer depends on something that cannot be looked at again at once. */
  spoil(): void;
  /** The roots, and all the rest as it is now; `null` when that cannot vouch for the answer. */
  conclude(): Conclusion | null;
}

/** What vouches for an answer, as long as all of it is current. */
export interface Conclusion {
  readonly roots: Roots;
  readonly observations: readonly Observation[];
}

/**
 * A file that was changed less than this before it was looked for, in milliseconds, may be changed again without a trace
 * in its dates: some systems count in steps of two seconds. After that, no change goes unseen.
 */
const SETTLED_MS = 2000;

interface Place {
  readonly root: string;
  readonly segments: readonly string[];
  /** `null` for nothing. */
  readonly info: FileInfo | null;
}

/** Starts collecting, before anything is looked at. */
export function collectEvidence(observe: NonNullable<FileSystem["observe"]>): Evidence {
  const startedAt = Date.now();
  const places: Place[] = [];
  let roots: Roots | null = null;
  let isSpoiled = false;

  function isTheSame(info: FileInfo, { info: now, changedMs }: Observation): boolean {
    if (now === null || now.kind !== info.kind || now.size !== info.size) return false;
    if (now.identity === null || now.identity !== info.identity || now.mtimeMs !== info.mtimeMs) return false;
    if (now.mtimeMs === null || changedMs === null) return false;
    // What was read since it was opened is of this very state.
    return startedAt - Math.max(now.mtimeMs, changedMs) >= SETTLED_MS;
  }

  function vouchesFor(info: FileInfo | null, now: Observation): boolean {
    return info === null ? now.info === null : isTheSame(info, now);
  }

  /** The folders on the way, then what is looked for: a folder may be replaced by a link that leads elsewhere. */
  function observePlace({ root, segments, info }: Place, seen: Map<string, Observation>): boolean {
    function look(path: string): Observation | null {
      const now = seen.get(path) ?? observe(path);
      if (now !== null) seen.set(path, now);
      return now;
    }
    let path = root;
    for (const segment of segments.slice(0, -1)) {
      path += `/${segment}`;
      const now = look(path);
      if (now === null) return false;
      // In no folder, there is nothing.
      if (now.info === null) return info === null;
      if (now.info.kind !== "directory" || now.info.identity === null) return false;
    }
    const last = segments.at(-1);
    // Without a segment, it is the root itself that is a file.
    const now = look(last === undefined ? root : `${path}/${last}`);
    return now !== null && vouchesFor(info, now);
  }

  return {
    within(current) {
      if (roots !== null && roots !== current) isSpoiled = true;
      roots = current;
    },
    found: (root, segments, info) => void places.push({ root, segments, info }),
    absent: (root, segments) => void places.push({ root, segments, info: null }),
    spoil() {
      isSpoiled = true;
    },
    conclude() {
      if (isSpoiled || roots === null || places.length === 0) return null;
      const seen = new Map<string, Observation>();
      for (const place of places) if (!observePlace(place, seen)) return null;
      return { roots, observations: [...seen.values()] };
    },
  };
}
