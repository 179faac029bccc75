/**
 * Where an open file is, as the system knows it: a name may have come to lead elsewhere while it was being opened.
 *
 * @module
 */

import { readlinkSync } from "node:fs";

// Linux has this folder.
let folder: string | null = "/proc/self/fd";

/** From here on, the system is not asked: it might ask back, at the terminal. */
export function withoutDescriptorPaths(): void {
  folder = null;
}

/** The absolute path, without links, of what `fd` has open; `null` where the system does not tell. */
export function descriptorPath(fd: number): string | null {
  if (folder === null) return null;
  try {
    const path = readlinkSync(`${folder}/${fd}`);
    // Deleted or replaced since: this is where it was.
    return path.endsWith(" (deleted)") ? path.slice(0, -" (deleted)".length) : path;
  } catch {
    folder = null;
    return null;
  }
}
