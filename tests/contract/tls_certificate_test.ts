/** Certificates and keys of every usual kind, and what is said of those that will not do. */

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ListenError, type TlsOptions } from "../../src/runtime.ts";
import { exchange, get } from "../_http.ts";
import { runtime } from "../_runtime.ts";
import { serving } from "./_serving.ts";

const folder = mkdtempSync(join(tmpdir(), "htbin-tls-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
}

function read(name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

const skip = (() => {
  try {
    openssl("version");
    return false;
  } catch {
    return "openssl is not installed";
  }
})();

/** A certificate for localhost, signed by itself. */
function made(...key: string[]): TlsOptions {
  const subject = ["-subj", "/CN=localhost", "-days", "2"];
  openssl("req", "-x509", "-newkey", ...key, "-nodes", ...subject, "-out", "cert.pem", "-keyout", "key.pem");
  return { cert: read("cert.pem"), key: read("key.pem") };
}

/** A certificate that somebody else has signed, and the chain to it. */
function chain(days = "2"): TlsOptions & { readonly issuer: string } {
  const issuer = made("rsa:2048").cert;
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    "/CN=leaf",
    "-out",
    "leaf.csr",
    "-keyout",
    "leaf.key",
  );
  const by = ["-CA", "cert.pem", "-CAkey", "key.pem", "-CAcreateserial"];
  openssl("x509", "-req", "-in", "leaf.csr", ...by, "-days", days, "-out", "leaf.pem");
  return { cert: read("leaf.pem") + issuer, key: read("leaf.key"), issuer };
}

/** What a client of openssl prints. */
function client(port: number, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const all = ["s_client", "-connect", `127.0.0.1:${port}`, ...args];
    execFile("openssl", all, { cwd: folder }, (_error, out, err) => resolve(out + err)).stdin!.end();
  });
}

test("RSA, EC and Ed25519 keys, also in the older forms, without a word", { skip }, async () => {
  const rsa = made("rsa:2048");
  openssl("rsa", "-in", "key.pem", "-traditional", "-out", "old.pem");
  openssl(
    "rsa",
    "-in",
    "key.pem",
    "-traditional",
    "-aes128",
    "-passout",
    "pass:secret",
    "-out",
    "closed.pem",
  );
  openssl("ecparam", "-name", "secp384r1", "-genkey", "-out", "ec.pem");
  openssl("req", "-x509", "-key", "ec.pem", "-subj", "/CN=localhost", "-days", "2", "-out", "ec_cert.pem");
  const all: readonly TlsOptions[] = [
    rsa,
    { ...rsa, key: read("old.pem") },
    { ...rsa, key: read("closed.pem"), passphrase: "secret" },
    { cert: read("ec_cert.pem"), key: read("ec.pem") },
    made("ed25519"),
  ];
  for (const tls of all) {
    await serving(() => new Response("fine"), async ({ target, errors }) => {
      assert.equal((await exchange(target, get("/"))).text, "fine");
      assert.deepEqual(errors, []);
    }, { tls });
  }
});

test("all of a chain is sent, and TLS before 1.2 is refused", { skip }, async () => {
  const { issuer, ...tls } = chain();
  writeFileSync(join(folder, "issuer.pem"), issuer);
  await serving(() => new Response("fine"), async ({ target: { port } }) => {
    const shown = await client(port, "-showcerts", "-CAfile", "issuer.pem");
    assert.match(shown, /Verify return code: 0 \(ok\)/);
    assert.equal(shown.match(/BEGIN CERTIFICATE/g)?.length, 2);
    for (const version of ["-tls1", "-tls1_1"]) {
      assert.match(await client(port, version, "-cipher", "ALL:@SECLEVEL=0"), /alert/, version);
    }
    for (const version of ["-tls1_2", "-tls1_3"]) {
      assert.match(await client(port, version), /New, TLSv1\.[23], Cipher/, version);
    }
  }, { tls });
});

test("a weak key, and a chain in the wrong order, are refused in one line", { skip }, async () => {
  const { cert, key, issuer } = chain();
  const wrong = [
    [made("rsa:1024"), /: the key has 1024 bits, and clients ask for 2048$/],
    [
      { cert: issuer + cert, key },
      /: the certificate that the key belongs to has to be the first in the file$/,
    ],
  ] as const;
  for (const [tls, message] of wrong) {
    await assert.rejects(
      runtime.network.listen(() => undefined, { hostname: "127.0.0.1", port: 0, tls }),
      (error) => error instanceof ListenError && error.reason === "tls" && message.test(error.message),
    );
  }
});

test("a certificate that has expired is told, and served", { skip }, async () => {
  const { issuer: _, ...tls } = chain("-1");
  await serving(() => new Response("fine"), async ({ target, errors }) => {
    assert.equal((await exchange(target, get("/"))).text, "fine");
    assert.match(
      String(errors),
      /^ListenError: The TLS certificate expired on .* GMT: clients will refuse it$/,
    );
  }, { tls });
});
