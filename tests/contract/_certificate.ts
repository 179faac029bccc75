/**
 * A certificate of our own, made by openssl when the tests run.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** All of it as PEM text. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  /** The same certificate, but of yesterday alone. */
  readonly expired: string;
  /** The key once more, encrypted. */
  readonly encryptedKey: string;
  readonly passphrase: string;
  /** A key that does not belong to the certificate. */
  readonly otherKey: string;
  remove(): void;
}

/** Makes one for localhost, or `null` where there is no openssl. */
export function makeCertificate(): TestCertificate | null {
  const directory = mkdtempSync(join(tmpdir(), "htbin-tls-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
  const read = (name: string) => readFileSync(join(directory, name), "utf8");
  const passphrase = "correct horse";
  try {
    for (const name of ["key.pem", "other.pem"]) {
      openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name);
    }
    openssl("req", "-x509", "-key", "key.pem", "-subj", "/CN=localhost", "-days", "2", "-out", "cert.pem");
    openssl("x509", "-in", "cert.pem", "-signkey", "key.pem", "-days", "-1", "-out", "expired.pem");
    openssl("pkcs8", "-topk8", "-in", "key.pem", "-passout", `pass:${passphrase}`, "-out", "encrypted.pem");
    return {
      cert: read("cert.pem"),
      key: read("key.pem"),
      expired: read("expired.pem"),
      encryptedKey: read("encrypted.pem"),
      otherKey: read("other.pem"),
      passphrase,
      remove,
    };
  } catch (error) {
    remove();
    if ((error as { code?: string }).code === "ENOENT") return null;
    throw error;
  }
}
