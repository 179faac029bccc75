/**
 * Which user scripts run as, and what to say about it.
 *
 * @module
 */

import { FileError, type ProcessHost, type UserIdentity } from "../runtime.ts";

/** Who scripts run as when the server is root and nothing else was said: Python's rule. */
const UNPRIVILEGED = "nobody";

/** The numbers of `nobody` where the system's user list has no such name, as in a minimal container. */
const NOBODY: UserIdentity = { uid: 65534, gid: 65534 };

/** What of a process host says who there is. */
export type Users = Pick<ProcessHost, "user" | "findUser">;

/**
 * The user that scripts run as, or `null` for the server's own.
 *
 * `user` is a name, a number, two numbers (`1000:1000`) or an identity; `null` is the server's own; without it, a
 * server that was started as root runs scripts as `nobody`.
 *
 * @throws {TypeError} When there is no such user, this process may not become it, or it may not know who it is itself.
 */
export async function resolveUser(
  user: string | UserIdentity | null | undefined,
  processes: Users,
): Promise<UserIdentity | null> {
  const own = processes.user;
  if (user === null) return null;
  if (own === undefined) {
    throw new TypeError(
      "Cannot tell whether this server is root, and so who its scripts would run as: start Deno with --allow-sys=uid,gid",
    );
  }
  if (user === undefined) {
    if (own?.uid !== 0) return null;
    return await processes.findUser(UNPRIVILEGED).catch(unknown) ?? NOBODY;
  }
  if (own === null) {
    throw new TypeError(
      `Cannot run scripts as ${showUser(user)}: this system has no user numbers to run them as`,
    );
  }
  const wanted = await findUser(user, processes);
  if (wanted.uid === own.uid && wanted.gid === own.gid) return null;
  if (own.uid !== 0) {
    throw new TypeError(
      `Cannot run scripts as ${
        showUser(user)
      }: only a server that was started as root may run them as somebody else`,
    );
  }
  return wanted;
}

/** Where users may not be looked up, this one has the number that it has everywhere. */
function unknown(error: unknown): null {
  if (error instanceof FileError) return null;
  throw error;
}

/**
 * What the log says, once, about the user scripts run as; `null` when there is nothing to say: the server is not root
 * and scripts run as the same user.
 */
export function describeUser(
  user: string | UserIdentity | null | undefined,
  identity: UserIdentity | null,
  processes: Pick<ProcessHost, "user">,
): string | null {
  if (identity === null) {
    return processes.user?.uid === 0
      ? "started as root, and scripts run as root: a script can do everything on this machine"
      : null;
  }
  const numbers = `${identity.uid}:${identity.gid}`;
  if (user === undefined) {
    return `started as root: scripts run as ${UNPRIVILEGED} (${numbers})`;
  }
  const shown = showUser(user);
  return `scripts run as ${shown}${shown === numbers ? "" : ` (${numbers})`}`;
}

/** A user as an operator would write it. */
export function showUser(
  user: string | UserIdentity | null | undefined,
): string {
  if (user === undefined) return UNPRIVILEGED;
  if (user === null) return "the server's user";
  return typeof user === "string" ? user : `${user.uid}:${user.gid}`;
}

async function findUser(
  user: string | UserIdentity,
  processes: Users,
): Promise<UserIdentity> {
  if (typeof user !== "string") return checkIdentity(user);
  const numbers = /^(\d+):(\d+)$/.exec(user);
  if (numbers !== null) {
    return checkIdentity({ uid: Number(numbers[1]), gid: Number(numbers[2]) });
  }
  const found = await processes.findUser(user);
  if (found !== null) return found;
  // One number alone is the group's too, unless the user list knows better (above).
  if (/^\d+$/.test(user)) {
    return checkIdentity({ uid: Number(user), gid: Number(user) });
  }
  throw new TypeError(
    `Cannot run scripts as ${user}: there is no such user`,
  );
}

function checkIdentity(user: UserIdentity): UserIdentity {
  for (const id of [user.uid, user.gid]) {
    // The largest number is the system's "no change" (setuid(-1)).
    if (!Number.isInteger(id) || id < 0 || id >= 2 ** 32 - 1) {
      throw new TypeError(
        `Cannot run scripts as ${user.uid}:${user.gid}: not the numbers of a user and a group`,
      );
    }
  }
  return user;
}
