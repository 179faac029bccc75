/**
 * Certificates: made for one run, and read anew by a running server.
 */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { connect as connectHttp2, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { selfSigned } from "../../src/cli/self_signed.ts";
import { startCommand } from "../_command.ts";
import type { TlsOptions } from "../../src/runtime.ts";
import { runtime, until } from "../_runtime.ts";
import { makeCertificate } from "../contract/_certificate.ts";
import { makeFolder } from "./_folder.ts";
import { runHere, startHere } from "./_in_process.ts";

const folder = makeFolder({ "index.html": "HOME", "file.txt": "FILE" });
after(folder.remove);
const HERE = ["0", "--directory", folder.path];

/** The SHA-256 of the certificate that a new connection is shown. */
function shown(port: number, options: ConnectionOptions = { rejectUnauthorized: false }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: "127.0.0.1", port, servername: "localhost", ...options }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("a self-signed certificate is for the names it was asked for, and nothing else", async () => {
  const { tls, fingerprint } = await selfSigned(["localhost", "127.0.0.1", "::1", "localhost", "wiki.test"]);
  const certificate = new X509Certificate(tls.cert);
  assert.equal(certificate.fingerprint256, fingerprint);
  assert.equal(certificate.checkHost("localhost"), "localhost");
  assert.equal(certificate.checkHost("wiki.test"), "wiki.test");
  assert.equal(certificate.checkHost("evil.test"), undefined);
  for (const address of ["127.0.0.1", "::1"]) assert.equal(certificate.checkIP(address), address);
  assert.equal(certificate.checkIP("192.0.2.1"), undefined);
  assert.equal(certificate.ca, false);
  const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
  assert.ok(days > 29 && days < 31, certificate.validTo);
  assert.ok(Date.parse(certificate.validFrom) < Date.now());
  assert.notEqual((await selfSigned(["localhost"])).fingerprint, fingerprint);
});

test("--tls-self-signed serves HTTPS with one, and says by what it is known", async () => {
  const server = await startHere([...HERE, "--tls-self-signed"]);
  assert.match(server.stdout(), /^Serving HTTPS on 127\.0\.0\.1 port \d+ \(https:/);
  await until(() => /SHA-256/.test(server.stderr()), "the fingerprint is told");
  const [, told] = /^htbin: certificate made for this run.*; SHA-256 (\S+)$/m.exec(server.stderr()) ?? [];
  assert.equal(await shown(server.port), told);
  await server.stop();
});

test("all workers show the same one", async () => {
  const server = await startCommand([...HERE, "--tls-self-signed", "--workers", "2"]);
  try {
    const seen = await Promise.all(Array.from({ length: 12 }, () => shown(server.address.port)));
    assert.equal(new Set(seen).size, 1);
  } finally {
    await server.stop();
  }
});

test("--tls-self-signed and a certificate of one's own: exit status 2 and one line", async () => {
  const { code, stderr } = await runHere([...HERE, "--tls-self-signed", "--tls-cert", "c.pem"]);
  assert.equal(code, 2);
  assert.match(stderr, /^htbin: --tls-self-signed makes its own certificate and key: .*\n$/);
});

const [first, second] = [makeCertificate(), makeCertificate()];
after(() => [first, second].forEach((certificate) => certificate?.remove()));
const needsOpenssl = first === null ? "openssl is not installed" : false;
const paths = { cert: join(folder.path, "cert.pem"), key: join(folder.path, "key.pem") };

function install(certificate: Pick<TlsOptions, "cert" | "key"> | null): string {
  writeFileSync(paths.cert, certificate!.cert);
  writeFileSync(paths.key, certificate!.key);
  return new X509Certificate(certificate!.cert).fingerprint256;
}

test("SIGHUP reads the certificate anew; a bad one changes nothing", {
  skip: needsOpenssl,
}, async () => {
  const before = install(first);
  const server = await startHere([...HERE, "--tls-cert", paths.cert, "--tls-key", paths.key]);
  assert.equal(await shown(server.port), before);
  writeFileSync(paths.cert, "broken");
  server.hangUp(false);
  await until(() => /^htbin: error: certificate not read anew/m.test(server.stderr()), "the failure is told");
  assert.equal(await shown(server.port), before);
  const renewed = install(second);
  assert.notEqual(renewed, before);
  server.hangUp(false);
  await until(() => /^htbin: certificate read anew$/m.test(server.stderr()), "it is told");
  assert.equal(await shown(server.port), renewed);
  await server.stop();
});

test("the flag is named whose file cannot be used, at the start and on SIGHUP", {
  skip: needsOpenssl,
}, async () => {
  const { cert, key, encryptedKey, passphrase, otherKey } = first!;
  const password = join(folder.path, "password");
  const own = ["--tls-cert", paths.cert, "--tls-key", paths.key];
  const opened = [...own, "--tls-password-file", password];
  writeFileSync(password, "wrong");
  const wrong = [
    [cert, encryptedKey, opened, /^htbin: --tls-password-file: .*: the passphrase is wrong\n$/],
    [cert, encryptedKey, own, /^htbin: --tls-password-file: .*: the key is encrypted, .*\n$/],
    [cert, otherKey, own, /^htbin: --tls-key: .*: the key does not belong to the certificate\n$/],
    ["none", key, own, /^htbin: --tls-cert: .*: there is no PEM certificate in it\n$/],
    [cert, key, ["--tls-cert", paths.cert], /^htbin: --tls-cert: .*: there is no PEM private key in it\n$/],
  ] as const;
  for (const [cert, key, flags, message] of wrong) {
    writeFileSync(paths.cert, cert);
    writeFileSync(paths.key, key);
    const { code, stderr } = await runHere([...HERE, ...flags]);
    assert.equal(code, 1);
    assert.match(stderr, message);
  }
  install({ cert, key: encryptedKey });
  writeFileSync(password, passphrase);
  const server = await startHere([...HERE, ...opened]);
  writeFileSync(password, "wrong");
  server.hangUp(false);
  const message = /^htbin: error: certificate not read anew.*: --tls-password-file: .*wrong$/m;
  await until(() => message.test(server.stderr()), "the failure is told");
  await server.stop();
});

for (const workers of [[], ["--workers", "2"]]) {
  test(`a renewed certificate that has expired is told on SIGHUP, once ${workers.join(" ")}`, {
    skip: needsOpenssl,
  }, async () => {
    install(first);
    const own = ["--tls-cert", paths.cert, "--tls-key", paths.key];
    const server = await startCommand([...HERE, ...own, ...workers]);
    try {
      const expired = install({ ...first!, cert: first!.expired });
      server.signal("SIGHUP");
      await server.logged(/^htbin: certificate read anew$/m);
      await until(async () => await shown(server.address.port) === expired, "it is shown");
      const { stderr } = await server.stop();
      const said = /^htbin: error: The TLS certificate expired on .* GMT: clients will refuse it$/gm;
      assert.equal(stderr.match(said)?.length, 1, stderr);
    } finally {
      server.signal("SIGKILL");
    }
  });
}

test("every worker reads it anew", {
  skip: needsOpenssl,
}, async () => {
  install(first);
  const server = await startCommand([
    ...HERE,
    "--tls-cert",
    paths.cert,
    "--tls-key",
    paths.key,
    "--workers",
    "2",
  ]);
  try {
    const renewed = install(second);
    server.signal("SIGHUP");
    await server.logged(/^htbin: certificate read anew$/m);
    await until(async () => {
      const seen = await Promise.all(Array.from({ length: 12 }, () => shown(server.address.port)));
      return seen.every((fingerprint) => fingerprint === renewed);
    }, "all connections are shown the new certificate");
  } finally {
    await server.stop();
  }
});

/** What is chosen for a client that takes both versions. */
function negotiated(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] };
    const socket = connectTls(options, () => {
      resolve(socket.alpnProtocol || "http/1.1");
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("HTTPS is HTTP/2 on Node, unless --no-http2 or --protocol HTTP/1.0 says otherwise", async () => {
  const offered = runtime.name === "node" ? "h2" : "http/1.1";
  for (
    const [flags, version] of [[[], offered], [["--no-http2"], "http/1.1"], [
      ["--protocol", "HTTP/1.0"],
      "http/1.1",
    ]] as const
  ) {
    const server = await startHere([...HERE, "--tls-self-signed", ...flags]);
    assert.equal(await negotiated(server.port), version, flags.join(" "));
    await server.stop();
  }
});

test("HTTP/2 for files and scripts, also of workers, with -H and in the log", {
  skip: runtime.name !== "node" && "this runtime offers HTTP/1.1 alone",
}, async () => {
  const script =
    "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\necho \"$SERVER_PROTOCOL $HTTP_HOST $CONTENT_LENGTH\"\ncat\n";
  const site = makeFolder({ "index.html": "HOME", "cgi-bin/echo": script });
  for (const workers of [[], ["--workers", "2"]]) {
    const flags = ["--tls-self-signed", "--cgi", "-H", "X-A", "b", ...workers];
    const server = await startCommand(["0", "--directory", site.path, ...flags]);
    const client = connectHttp2(server.url, { rejectUnauthorized: false });
    try {
      const ask = (fields: OutgoingHttpHeaders, body?: string) =>
        new Promise<readonly [unknown, string]>((resolve, reject) => {
          const stream = client.request(fields, { endStream: body === undefined });
          let [head, text] = [{} as IncomingHttpHeaders, ""];
          stream.setEncoding("utf8").on("response", (fields) => head = fields);
          stream.on("data", (piece: string) => text += piece);
          stream.on("end", () => resolve([head["x-a"], text]));
          stream.on("error", reject);
          if (body !== undefined) stream.end(body);
        });
      assert.deepEqual(await ask({ ":path": "/" }), ["b", "HOME"]);
      const { host } = new URL(server.url);
      const echo = await ask({ ":method": "POST", ":path": "/cgi-bin/echo" }, "no length");
      assert.deepEqual(echo, ["b", `HTTP/2.0 ${host} 9\nno length`]);
      await server.logged(/"POST \/cgi-bin\/echo HTTP\/2\.0" 200 \d+\n/);
      const gone = new Promise((resolve) => client.once("close", resolve));
      assert.equal((await server.stop()).code, 0);
      await gone;
    } finally {
      client.destroy();
      server.signal("SIGKILL");
    }
  }
  site.remove();
});
