/**
 * The certificate, key and password that HTTPS is served with, read from their files.
 *
 * @module
 */

import type { FileSystem, TlsOptions } from "../runtime.ts";
import { readText } from "./read_text.ts";

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
