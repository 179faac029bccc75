/**
 * What would keep the system from starting a program, told before it tries.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import type { Command, UserIdentity } from "../../src/runtime.ts";
import { headOf, interpreterIn, isRunnableHead } from "../shared/program_format.ts";
import { currentUser } from "./user.ts";

/**
 * Throws what starting the program would, for the user it would run as, as far as permission bits tell. Direct calls:
 * starting it is one too.
 */
export function demandStartable(command: Command): void {
  const { program, cwd, user } = command;
  demandExecutable(program, user);
  const head = headOf(program);
  if (head === null) return;
  if (!isRunnableHead(head)) throw withCode("ENOEXEC");
  const interpreter = interpreterIn(head);
  if (interpreter !== null) demandExecutable(resolve(cwd, interpreter), user);
}

function demandExecutable(path: string, user: UserIdentity | null): void {
  const status = Deno.statSync(path);
  if (!status.isFile || !mayExecute(status, user ?? currentUser() ?? null)) {
    throw withCode("EACCES");
  }
  // Who this process runs as has just been there.
  if (user === null) return;
  for (let folder = dirname(path);; folder = dirname(folder)) {
    if (!mayExecute(Deno.statSync(folder), user)) throw withCode("EACCES");
    if (folder === dirname(folder)) return;
  }
}

/** Whether the user may execute the file, or enter the folder. `null` is nobody in particular. */
export function mayExecute(
  { mode, uid, gid, isFile }: Deno.FileInfo,
  user: UserIdentity | null,
): boolean {
  // Windows has no such bits.
  if (mode === null) return true;
  if (user === null) return (mode & 0o111) !== 0;
  if (user.uid === 0) return !isFile || (mode & 0o111) !== 0;
  if (user.uid === uid) return (mode & 0o100) !== 0;
  if (user.gid === gid) return (mode & 0o010) !== 0;
  // Deno does not tell the other groups this process is in: starting the file will.
  const others = user.uid === currentUser()?.uid ? 0o011 : 0o001;
  return (mode & others) !== 0;
}

function withCode(code: "EACCES" | "ENOEXEC"): Error {
  return Object.assign(new Error(code), { code });
}
