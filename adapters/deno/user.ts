/**
 * Who this process and others are, on Deno.
 *
 * @module
 */

import { FileError, type UserIdentity } from "../../src/runtime.ts";
import { isGranted } from "./permissions.ts";

const ID = "/usr/bin/id";

let told: UserIdentity | undefined;

/**
 * Asked of the system where Deno keeps it to itself (no `--allow-sys`): a server must not take itself for nobody in
 * particular while its scripts run as root. `undefined` where that may not be run either.
 */
export function currentUser(): UserIdentity | null | undefined {
  if (Deno.build.os === "windows") return null;
  if (
    isGranted({ name: "sys", kind: "uid" }) &&
    isGranted({ name: "sys", kind: "gid" })
  ) {
    const uid = Deno.uid();
    const gid = Deno.gid();
    return uid === null || gid === null ? null : { uid, gid };
  }
  return told ??= userFromSystem() ?? undefined;
}

/** Looks `name` up without the right to read the system's list. Throws a `FileError` without another way to. */
export function namedUser(name: string): UserIdentity | null {
  if (isGranted({ name: "run", command: ID })) return userFromSystem("--", name);
  throw new FileError("denied", `Cannot look up ${name}: Deno was not started with --allow-read=/etc/passwd`);
}

function userFromSystem(...operands: readonly string[]): UserIdentity | null {
  const uid = numberFrom("-u", ...operands);
  const gid = numberFrom("-g", ...operands);
  return uid === null || gid === null ? null : { uid, gid };
}

function numberFrom(...args: readonly string[]): number | null {
  if (!isGranted({ name: "run", command: ID })) return null;
  try {
    const { stdout } = new Deno.Command(ID, {
      args: [...args],
      clearEnv: true,
      stdin: "null",
      stderr: "null",
    }).outputSync();
    const number = Number.parseInt(new TextDecoder().decode(stdout), 10);
    return Number.isNaN(number) ? null : number;
  } catch {
    return null;
  }
}
