/**
 * Users and passwords, from the flags and from a file that may be read anew.
 *
 * @module
 */

import { parseHtpasswd } from "../access/htpasswd.ts";
import { type CheckPassword, passwordChecker } from "../access/passwords.ts";
import type { FileSystem } from "../runtime.ts";
import { readText } from "./read_text.ts";
import type { AuthSettings } from "./settings.ts";
import { StartError } from "./start_error.ts";

/** Who may come in. */
export interface Users {
  readonly check: CheckPassword;
  /** Reads the file anew. @throws {StartError} When it cannot be used; those it had last stay. */
  reload(): Promise<void>;
}

/**
 * Reads them.
 *
 * @throws {StartError} When the file cannot be used.
 * @throws {TypeError} For a name or password that no client can send.
 */
export async function readUsers(files: FileSystem, auth: AuthSettings): Promise<Users> {
  async function read(): Promise<CheckPassword> {
    return passwordChecker({ ...await usersOf(files, auth.file), ...Object.fromEntries(auth.users) });
  }
  let check = await read();
  return {
    check: (user, password) => check(user, password),
    async reload() {
      check = await read();
    },
  };
}

async function usersOf(files: FileSystem, path: string | null): Promise<Readonly<Record<string, string>>> {
  if (path === null) return {};
  const text = await readText(files, "--auth-file", path);
  try {
    return parseHtpasswd(text);
  } catch (error) {
    throw new StartError(`--auth-file: ${path}: ${(error as Error).message}`, { cause: error });
  }
}
