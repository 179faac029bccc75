/**
 * A certificate for the time of one run, for development.
 *
 * @module
 */

import type { TlsOptions } from "../runtime.ts";

/** How long it is valid, in milliseconds: a server that runs longer is no development server. */
const VALID = 30 * 24 * 60 * 60 * 1000;

/** Clocks differ: it is valid from so many milliseconds ago. */
const SKEW = 60 * 60 * 1000;

/** A certificate, and by what a person can tell it when the browser shows it. */
export interface SelfSigned {
  readonly tls: TlsOptions;
  /** SHA-256 of the certificate, as browsers show it: `AB:CD:...`. */
  readonly fingerprint: string;
}

/** Makes a key, and a certificate for these names and addresses that is signed with it. */
export async function selfSigned(names: readonly string[]): Promise<SelfSigned> {
  const { default: forge } = await import("node-forge");
  const { asn1, md, pki, util } = forge;
  const keyPem = await privateKey();
  const key = pki.privateKeyFromPem(keyPem);
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.setRsaPublicKey(key.n, key.e);
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = new Date(Date.now() - SKEW);
  certificate.validity.notAfter = new Date(Date.now() + VALID);
  const subject = [{ name: "commonName", value: "htbin, for development" }];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: "basicConstraints", cA: false, critical: true },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    { name: "extKeyUsage", serverAuth: true },
    { name: "subjectAltName", altNames: [...new Set(names)].map(altName) },
  ]);
  certificate.sign(key, md.sha256.create());
  const der = asn1.toDer(pki.certificateToAsn1(certificate)).getBytes();
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(util.binary.raw.decode(der)));
  return {
    tls: { cert: pki.certificateToPem(certificate), key: keyPem },
    fingerprint: Array.from(new Uint8Array(digest), hex).join(":").toUpperCase(),
  };
}

/** RFC 5280 section 4.2.1.6: 2 is a name, 7 an address. */
function altName(name: string): { type: 2; value: string } | { type: 7; ip: string } {
  const isAddress = name.includes(":") || /^\d+(\.\d+){3}$/.test(name);
  return isAddress ? { type: 7, ip: name } : { type: 2, value: name };
}

/** Made by the platform: the library takes seconds for it. */
async function privateKey(): Promise<string> {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  };
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as CryptoKeyPair;
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

/** Positive, and another each time: browsers refuse two certificates of one issuer with the same. */
function serialNumber(): string {
  return `01${Array.from(crypto.getRandomValues(new Uint8Array(15)), hex).join("")}`;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
