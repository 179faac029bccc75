/**
 * Looking at paths again and again, with one direct question to the system each time.
 *
 * @module
 */

import type { FileInfo, FileSystem, Observation } from "../../src/runtime.ts";
import { isAbsence, isExpressible } from "./system_error.ts";
import type { WarmPaths } from "./warm_paths.ts";

/** How a runtime looks at a path. */
export interface Look<Status> {
  /** Links not followed; `null` for nothing, or an error that says so. */
  status(path: string): Status | null;
  info(status: Status): FileInfo;
  changedMs(status: Status): number | null;
  /** Whether two are of one file or folder: the same device and number. */
  isSame(a: Status, b: Status): boolean;
  /** Whether sizes and dates are equal. */
  isUnchanged(a: Status, b: Status): boolean;
}

/** Makes {@linkcode FileSystem.observe}. */
export function observer<Status extends object>(
  { status, info, changedMs, isSame, isUnchanged }: Look<Status>,
  warm: WarmPaths,
): NonNullable<FileSystem["observe"]> {
  /** `undefined` when it cannot be told. */
  function look(path: string): Status | null | undefined {
    try {
      return warm.ifQuick(status, path);
    } catch (error) {
      return isAbsence(error) ? null : undefined;
    }
  }
  return (path): Observation | null => {
    const first = isExpressible(path) ? look(path) : undefined;
    if (first === undefined) return null;
    if (first === null) return { info: null, changedMs: null, isCurrent: () => look(path) === null };
    const seen = info(first);
    const isFolder = seen.kind === "directory";
    return {
      info: seen,
      changedMs: changedMs(first),
      isCurrent() {
        const now = look(path);
        return now !== undefined && now !== null && isSame(now, first) &&
          (isFolder || isUnchanged(now, first));
      },
    };
  };
}
