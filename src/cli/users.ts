/**
 * Users and passwords, from the flags and from a file.
 *
 * @module
 */

import { parseHtpasswd } from "../access/htpasswd.ts";
import type { FileSystem } from "../runtime.ts";
import { readText } from "./read_text.ts";
import type { AuthSettings } from "./settings.ts";
import { StartError } from "./start_error.ts";

/** Passwords, or the bcrypt hashes of them, by user. */
export type UserTable = Readonly<Record<string, string>>;

/**
 * Reads them. A user of the flags comes before one of the file.
 *
 * @throws {StartError} When the file cannot be used.
 */
export async function readUsers(files: FileSystem, { users, file }: AuthSettings): Promise<UserTable> {
  return { ...await usersOf(files, file), ...Object.fromEntries(users) };
}

async function usersOf(files: FileSystem, path: string | null): Promise<UserTable> {
  if (path === null) return {};
  const text = await readText(files, "--auth-file", path);
  try {
    return parseHtpasswd(text);
  } catch (error) {
    throw new StartError(`--auth-file: ${path}: ${(error as Error).message}`, { cause: error });
  }
}
