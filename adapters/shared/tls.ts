/**
 * Certificates and keys, looked at before a server is started with them: what
 * the runtimes say of a bad one, they say late, never, or in numbers.
 *
 * @module
 */

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { ListenError, type TlsOptions } from "../../src/runtime.ts";

/** A certificate chain and its key in the clear, as PEM text and nothing else. */
export type CheckedTls = Pick<TlsOptions, "cert" | "key">;

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]+?-----END \1-----/;

/**
 * Checks certificate and key. Either text may hold the other as well.
 *
 * @throws {ListenError} With the reason "tls".
 */
export function checkTls(tls: TlsOptions): CheckedTls {
  const chain = tls.cert.match(CERTIFICATES);
  if (chain === null) throw failure("there is no PEM certificate in it");
  const key = privateKey(tls);
  if (!certificate(chain[0]).checkPrivateKey(key)) {
    throw failure("the key does not belong to the certificate");
  }
  return {
    cert: chain.join("\n") + "\n",
    key: String(key.export({ type: "pkcs8", format: "pem" })),
  };
}

function certificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw failure("the certificate is damaged", cause);
  }
}

function privateKey({ key, passphrase }: TlsOptions): KeyObject {
  const pem = key.match(PRIVATE_KEY)?.[0];
  if (pem === undefined) throw failure("there is no PEM private key in it");
  const isEncrypted = /^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (isEncrypted && passphrase === undefined) {
    throw failure("the key is encrypted, and there is no passphrase");
  }
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (cause) {
    throw failure(isEncrypted ? "the passphrase is wrong" : "the key is damaged", cause);
  }
}

function failure(detail: string, cause?: unknown): ListenError {
  return new ListenError("tls", `Cannot use the TLS certificate and key: ${detail}`, { cause });
}
