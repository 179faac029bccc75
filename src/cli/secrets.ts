/**
 * What a server takes from files that may change while it runs: its certificate, and who may come in.
 *
 * @module
 */

import type { FileSystem, TlsOptions } from "../runtime.ts";
import { readCertificate } from "./certificate.ts";
import type { Settings } from "./settings.ts";
import { readUsers, type UserTable } from "./users.ts";

/** All of it, as it was last read. Those who serve together have the same. */
export interface Secrets {
  /** `null`: plain HTTP. */
  readonly tls: TlsOptions | null;
  /** `null`: everybody may come in. */
  readonly users: UserTable | null;
}

/**
 * Reads it; `tls` in place of files.
 *
 * @throws {StartError} When a file cannot be used.
 */
export async function readSecrets(
  files: FileSystem,
  { tls: paths, auth }: Pick<Settings, "tls" | "auth">,
  tls: TlsOptions | null,
): Promise<Secrets> {
  return {
    tls: tls ?? (paths === null || paths === "self-signed" ? null : await readCertificate(files, paths)),
    users: auth === null ? null : await readUsers(files, auth),
  };
}

/** Whether both are the same certificate and key. */
export function isSameTls(one: TlsOptions | null, other: TlsOptions | null): boolean {
  return one?.cert === other?.cert && one?.key === other?.key && one?.passphrase === other?.passphrase;
}
