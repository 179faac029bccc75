/**
 * The runtime's own files, with a count of all that is asked of the system, and files that look older than they are.
 *
 * @module
 */

import { look } from "../adapters/shared/node_files.ts";
import { observer } from "../adapters/shared/observation.ts";
import { warmPaths } from "../adapters/shared/warm_paths.ts";
import type { FileSystem, OpenFile } from "../src/runtime.ts";
import { runtime } from "./_runtime.ts";

/** How often each was done. */
export interface FileCounts {
  stat: number;
  realPath: number;
  open: number;
  close: number;
  list: number;
  /** Reads, and the bytes that they copied. */
  read: number;
  readBytes: number;
  /** Looks at a path, first and later ones. */
  look: number;
  /** Names that were asked for as those of one folder. */
  inFolder: number;
}

/** A file system that counts. */
export interface CountingFiles extends FileSystem {
  readonly counts: FileCounts;
  /** What was counted since the last time. */
  take(): Partial<FileCounts>;
}

/** As the adapter's, but on a clock that stands still: no look is too slow, however busy the machine is. */
const observe = runtime.name === "deno"
  ? observer((await import("../adapters/deno/files.ts")).look, warmPaths(() => 0))
  : observer(look, warmPaths(() => 0));

/**
 * Makes one. `age` says how many milliseconds longer ago than it was the last change of a file is made to look: a file
 * that was just changed is not kept in memory, and nobody wants to wait.
 */
export function countingFiles(age = 0): CountingFiles {
  const { files } = runtime;
  const counts: FileCounts = {
    stat: 0,
    realPath: 0,
    open: 0,
    close: 0,
    list: 0,
    read: 0,
    readBytes: 0,
    look: 0,
    inFolder: 0,
  };
  function counted(file: OpenFile): OpenFile {
    let isOpen = true;
    return {
      ...file,
      async read(span, into) {
        const bytes = await file.read(span, into);
        counts.read++;
        counts.readBytes += bytes.length;
        return bytes;
      },
      close() {
        if (isOpen) counts.close++;
        isOpen = false;
        return file.close();
      },
    };
  }
  return {
    ...files,
    counts,
    take() {
      const taken = Object.entries(counts).filter(([, count]) => count > 0);
      for (const [name] of taken) counts[name as keyof FileCounts] = 0;
      return Object.fromEntries(taken);
    },
    stat(path) {
      counts.stat++;
      return files.stat(path);
    },
    realPath(path) {
      counts.realPath++;
      return files.realPath(path);
    },
    list(path) {
      counts.list++;
      return files.list(path);
    },
    filesIn(directory, names) {
      counts.inFolder += names.length;
      return files.filesIn!(directory, names);
    },
    async open(path) {
      counts.open++;
      const file = await files.open(path);
      return file && counted(file);
    },
    observe(path) {
      counts.look++;
      const seen = observe(path);
      if (seen === null) return null;
      return {
        ...seen,
        changedMs: seen.changedMs === null ? null : seen.changedMs - age,
        isCurrent() {
          counts.look++;
          return seen.isCurrent();
        },
      };
    },
  };
}
