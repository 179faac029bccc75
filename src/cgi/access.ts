/**
 * What another user may do with a file, judged by permission bits before that user tries.
 *
 * @module
 */

import type { FilePermissions, FileSystem, UserIdentity } from "../runtime.ts";
import { isWindowsPath, parentFolder } from "./file_path.ts";

/** What is wanted of a file. */
export type Wish = "read" | "execute";

/**
 * How sure a refusal must be. Access lists may allow more than the bits show, but never more than the group's bits to
 * anybody but the owner: `certain` counts only what no list can change.
 */
export type Certainty = "certain" | "likely";

const BITS: Readonly<Record<Wish, number>> = { read: 4, execute: 1 };

/**
 * What stands in the way of `user` doing `wishes` with the file, or `null` when nothing is known to: a phrase that goes
 * on from "who cannot", with what to do about it.
 */
export async function findObstacle(
  path: string,
  wishes: readonly Wish[],
  user: UserIdentity,
  certainty: Certainty,
  files: FileSystem,
): Promise<string | null> {
  if (files.permissions === undefined || isWindowsPath(path)) {
    return null;
  }
  for (const folder of foldersAbove(path)) {
    const permissions = await files.permissions(folder);
    if (permissions !== null && !isAllowed(permissions, user, 1, certainty)) {
      return `enter ${folder} (mode ${octal(permissions)}): chmod o+x ${folder}`;
    }
  }
  const permissions = await files.permissions(path);
  return permissions === null ? null : explainBits(path, permissions, wishes, user, certainty);
}

/** As {@linkcode findObstacle}, for the file alone. */
export function explainBits(
  path: string,
  permissions: FilePermissions,
  wishes: readonly Wish[],
  user: UserIdentity,
  certainty: Certainty,
): string | null {
  const missing = wishes.find((wish) => !isAllowed(permissions, user, BITS[wish], certainty));
  if (missing === undefined) return null;
  // A script that may be executed must be readable for its interpreter as well.
  const isUnreadable = !isAllowed(permissions, user, BITS.read, certainty);
  const letters = missing === "read" ? "r" : isUnreadable ? "rx" : "x";
  return `${missing} ${path} (mode ${octal(permissions)}): chmod o+${letters} ${path}`;
}

/** Whether the bits allow `user` what `bit` stands for. */
export function isAllowed(
  permissions: FilePermissions,
  user: UserIdentity,
  bit: number,
  certainty: Certainty,
): boolean {
  const { uid, gid, mode } = permissions;
  if (user.uid === 0) return true;
  if (user.uid === uid) return (mode >> 6 & bit) !== 0;
  if (certainty === "certain") return ((mode >> 3 | mode) & bit) !== 0;
  return ((user.gid === gid ? mode >> 3 : mode) & bit) !== 0;
}

function foldersAbove(path: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = parentFolder(path); folder !== "/"; folder = parentFolder(folder)) {
    folders.unshift(folder);
  }
  return ["/", ...folders];
}

function octal(permissions: FilePermissions): string {
  return permissions.mode.toString(8).padStart(3, "0");
}
