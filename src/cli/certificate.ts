/**
 * The certificate, key and password that HTTPS is served with, read from their files.
 *
 * @module
 */

import { type FileSystem, ListenError, type TlsOptions } from "../runtime.ts";
import { readText } from "./read_text.ts";
import { StartError } from "./start_error.ts";

/** Paths of PEM files. */
export interface CertificateFiles {
  /** The certificate and those between it and a root. May hold the key too. */
  readonly cert: string;
  readonly key?: string;
  /** A file with the password of an encrypted key on its first line. */
  readonly password?: string;
}

/**
 * Reads them.
 *
 * @throws {StartError} When a file is not there or cannot be read.
 */
export async function readCertificate(files: FileSystem, paths: CertificateFiles): Promise<TlsOptions> {
  const cert = await readText(files, "--tls-cert", paths.cert);
  const key = paths.key === undefined ? cert : await readText(files, "--tls-key", paths.key);
  if (paths.password === undefined) return { cert, key };
  const password = await readText(files, "--tls-password-file", paths.password);
  return { cert, key, passphrase: password.split(/\r?\n/, 1)[0] ?? "" };
}

/** An error that names the flag whose file cannot be used, in place of one that cannot know it; any other as it is. */
export function namingFlag(error: unknown, paths: CertificateFiles | "self-signed" | null): unknown {
  if (!(error instanceof ListenError) || error.reason !== "tls") return error;
  const { part, message, cause } = error;
  const hasKeyFile = typeof paths === "object" && paths?.key !== undefined;
  const flag = part === "passphrase"
    ? "--tls-password-file"
    : part === "key" && hasKeyFile
    ? "--tls-key"
    : "--tls-cert";
  return new StartError(`${flag}: ${message}`, { cause });
}
