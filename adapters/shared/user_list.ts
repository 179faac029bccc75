/**
 * The system's list of users (passwd(5)).
 *
 * @module
 */

import type { UserIdentity } from "../../src/runtime.ts";
import { fileError, isAbsence } from "./system_error.ts";

/** Looks `name` up, with the runtime's way to read a text file. `null` where there is no such user or no such list. */
export async function findUser(
  name: string,
  readText: (path: string) => Promise<string>,
): Promise<UserIdentity | null> {
  const path = "/etc/passwd";
  try {
    return userInList(await readText(path), name);
  } catch (error) {
    // Windows has no such list.
    if (isAbsence(error)) return null;
    throw fileError(error, "read", path);
  }
}

/** Finds the line `name:password:uid:gid:…`. */
export function userInList(list: string, name: string): UserIdentity | null {
  for (const line of list.split("\n")) {
    const [user, , uid, gid] = line.split(":");
    if (user !== name || uid === undefined || gid === undefined) continue;
    if (!/^-?\d+$/.test(uid) || !/^-?\d+$/.test(gid)) continue;
    // macOS lists nobody as -2; the system means the same bits without a sign.
    return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
  }
  return null;
}
