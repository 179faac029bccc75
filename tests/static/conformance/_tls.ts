/**
 * HTTPS on the command line.
 *
 * @module
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectWhole } from "../_ask.ts";
import { fetchPath, startSite, stop } from "../_site_command.ts";
import { siteFixture } from "../_site_fixture.ts";

/** Both kinds of key. */
export async function https(): Promise<void> {
  const { cert, key, encryptedKey, password } = certificate();
  const plain = ["--tls-cert", cert, "--tls-key", key];
  const encrypted = ["--tls-cert", cert, "--tls-key", encryptedKey];
  const flags = [plain, [...encrypted, "--tls-password-file", password]];
  for (const tls of flags) {
    const command = await startSite({}, ...tls);
    try {
      assert.match(
        command.banner,
        /^Serving HTTPS on 127\.0\.0\.1 port \d+ \(https:\/\/127\.0\.0\.1:\d+\/\) \.\.\.$/,
      );
      const target = { ...command.address, secure: true };
      expectWhole(await fetchPath(target, "/hello.txt"));
    } finally {
      await stop(command);
    }
  }
}

/** A self-signed certificate, made with the program that everybody has. */
export function certificate(): Record<
  "cert" | "key" | "encryptedKey" | "password",
  string
> {
  const folder = siteFixture().scratch();
  const at = (name: string) => join(folder, name);
  const run = (...args: string[]) => {
    execFileSync("openssl", args, { stdio: "ignore" });
  };
  writeFileSync(at("password"), "open sesame\n");
  run(
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    ...["-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-keyout", at("key.pem"), "-out", at("cert.pem")],
  );
  run(
    ...["pkcs8", "-topk8", "-in", at("key.pem"), "-out", at("encrypted.pem")],
    ...["-passout", `file:${at("password")}`],
  );
  return {
    cert: at("cert.pem"),
    key: at("key.pem"),
    encryptedKey: at("encrypted.pem"),
    password: at("password"),
  };
}

/** Why a certificate cannot be made here. */
export function openssl(): string | undefined {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "There is no openssl on this machine to make a certificate with.";
  }
}
