/**
 * The user that scripts run as, looked up once.
 *
 * @module
 */

import type { Log } from "../log/events.ts";
import type { UserIdentity } from "../runtime.ts";
import type { CgiOptions } from "./options.ts";
import { describeUser, resolveUser, type Users } from "./user.ts";

/** Gives the user, `null` for the server's own. Rejects when there is no such user. */
export type FindUser = () => Promise<UserIdentity | null> | UserIdentity | null;

/** Makes it. The log is told once who it is, where that is not plain. */
export function createUserFinder(
  user: CgiOptions["user"],
  processes: Users,
  log: Log,
): FindUser {
  let known: UserIdentity | null | undefined;
  let search: Promise<UserIdentity | null> | undefined;

  async function find(): Promise<UserIdentity | null> {
    known = await resolveUser(user, processes);
    const message = describeUser(user, known, processes);
    if (message !== null) log({ type: "message", level: "info", source: "cgi", message });
    return known;
  }
  return () => {
    if (known !== undefined) return known;
    // A failure is told to those who wait for it, and may be over the next time.
    search ??= find().catch((error) => {
      search = undefined;
      throw error;
    });
    return search;
  };
}
