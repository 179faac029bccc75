/**
 * Scripts that were found before, found again with one direct look at each folder on the way and at the file.
 *
 * What is remembered is how a path leads to a script, never what is in it. That the file may be executed is remembered
 * with it, and the system refuses when that has become wrong.
 *
 * @module
 */

import type { FileSystem, Observation } from "../runtime.ts";
import { joinPath } from "./file_path.ts";
import type { Found } from "./find_file.ts";
import type { Script } from "./script.ts";

/** The memory of one `cgi()`. */
export interface KnownScripts {
  /** The script, if everything on the way to it is what it was. */
  recall(path: string, mount: string): Script | undefined;
  /** Remembers a script that was found below `root`, with no link on the way. */
  keep(
    path: string,
    mount: string,
    script: Script,
    found: Found,
    root: string,
    segments: readonly string[],
  ): void;
}

interface Entry {
  readonly mount: string;
  readonly script: Script;
  readonly observations: readonly Observation[];
}

/** Paths come from requests: the memory must not grow with what clients think of. */
const LIMIT = 1000;

/** Makes an empty memory. */
export function createKnownScripts(observe: FileSystem["observe"]): KnownScripts {
  const entries = new Map<string, Entry>();
  return {
    recall(path, mount) {
      const entry = entries.get(path);
      if (entry === undefined || entry.mount !== mount) return undefined;
      for (const observation of entry.observations) {
        if (observation.isCurrent()) continue;
        entries.delete(path);
        return undefined;
      }
      return entry.script;
    },
    keep(path, mount, script, found, root, segments) {
      // One that is run by a program that was looked up is another matter, as is one that more than its path has named.
      const isPlain = script.program === found.filename && found.index === null &&
        found.length === segments.length;
      if (observe === undefined || !isPlain) return;
      const observations = observeWay(observe, found, root, segments);
      if (observations === null) return;
      if (entries.size >= LIMIT) entries.clear();
      entries.set(path, { mount, script, observations });
    },
  };
}

/** `null` where a link is on the way, or the file is another one by now. */
function observeWay(
  observe: NonNullable<FileSystem["observe"]>,
  { filename, info }: Found,
  root: string,
  segments: readonly string[],
): readonly Observation[] | null {
  const observations: Observation[] = [];
  for (let depth = 1; depth < segments.length; depth++) {
    const folder = observe(joinPath(root, segments.slice(0, depth)));
    if (folder?.info?.kind !== "directory" || folder.info.identity === null) return null;
    observations.push(folder);
  }
  const file = observe(filename);
  if (file?.info?.kind !== "file" || file.info.identity === null) return null;
  if (file.info.identity !== info.identity) return null;
  return [...observations, file];
}
