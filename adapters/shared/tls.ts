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

/** The least that clients take, in bits. */
const LEAST_RSA = 2048;

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]+?-----END \1-----/;

/**
 * Checks certificate and key. Either text may hold the other as well.
 *
 * @throws {ListenError} With the reason "tls".
 */
export function checkTls(tls: TlsOptions): CheckedTls {
  const chain = tls.cert.match(CERTIFICATES);
  if (chain === null) throw failure("cert", "there is no PEM certificate in it");
  const key = privateKey(tls);
  if (!certificate(chain[0]).checkPrivateKey(key)) {
    const isLater = chain.slice(1).some((pem) => certificate(pem).checkPrivateKey(key));
    throw isLater
      ? failure("cert", "the certificate that the key belongs to has to be the first in the file")
      : failure("key", "the key does not belong to the certificate");
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? LEAST_RSA;
  if (bits < LEAST_RSA) {
    throw failure("key", `the key has ${bits} bits, and clients ask for ${LEAST_RSA}`);
  }
  return {
    cert: chain.join("\n") + "\n",
    key: String(key.export({ type: "pkcs8", format: "pem" })),
  };
}

/** What clients will have against the dates of a certificate, in a sentence for the operator; `null` when nothing. */
export function wrongDates({ cert }: CheckedTls): ListenError | null {
  const { validFrom, validTo } = certificate(cert.match(CERTIFICATES)![0]);
  const now = Date.now();
  const problem = Date.parse(validTo) < now
    ? `expired on ${validTo}`
    : Date.parse(validFrom) > now
    ? `is not valid before ${validFrom}`
    : null;
  return problem === null
    ? null
    : new ListenError("tls", `The TLS certificate ${problem}: clients will refuse it`);
}

/** An error for what the runtime has against a certificate or key that is sound. */
export function refused(cause: unknown): ListenError {
  return failure(null, String(cause instanceof Error ? cause.message : cause).split("\n", 1)[0]!, cause);
}

function certificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw failure("cert", "the certificate is damaged", cause);
  }
}

function privateKey({ key, passphrase }: TlsOptions): KeyObject {
  const pem = key.match(PRIVATE_KEY)?.[0];
  if (pem === undefined) throw failure("key", "there is no PEM private key in it");
  const isEncrypted = /^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (isEncrypted && passphrase === undefined) {
    throw failure("passphrase", "the key is encrypted, and there is no passphrase");
  }
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (cause) {
    throw isEncrypted
      ? failure("passphrase", "the passphrase is wrong", cause)
      : failure("key", "the key is damaged", cause);
  }
}

function failure(part: keyof TlsOptions | null, detail: string, cause?: unknown): ListenError {
  const options = { cause, ...(part !== null && { part }) };
  return new ListenError("tls", `Cannot use the TLS certificate and key: ${detail}`, options);
}
