/**
 * A script that fails, seen over HTTP/2.
 *
 * @module
 */

import assert from "node:assert/strict";
import { connect } from "node:http2";
import { connect as connectTls } from "node:tls";
import { makeCertificate } from "../../contract/_certificate.ts";
import { type ConformanceCase, test } from "../../_conformance.ts";
import { type Served, serving } from "./_ask.ts";
import { freshPath, HEAD, missing, release, shell, waitFor } from "./_scripts.ts";

/** G14. */
export const http2Case: ConformanceCase = test(
  "G14",
  "T",
  "the same over HTTP/2 (TLS)",
  "the stream is reset",
  () => overTls(resetStream),
  {
    impossible: [{
      runtimes: ["deno", "bun"],
      reason: "HTTP/2 is not served there: the handshake settles for HTTP/1.1, where G13 holds.",
      run: () => overTls(settlesForHttp1),
    }],
    unless: missing("openssl", "version"),
  },
);

async function overTls(check: (server: Served, go: string, path: string) => Promise<void>): Promise<void> {
  const certificate = makeCertificate()!;
  try {
    const { cert, key } = certificate;
    const go = freshPath();
    const path = shell("g14.sh", `${HEAD}; echo begun; ${waitFor(go)}; exit 1`);
    await check(await serving({}, { tls: { cert, key } }), go, path);
  } finally {
    certificate.remove();
  }
}

async function resetStream({ hostname, port }: Served, go: string, path: string): Promise<void> {
  const session = connect(`https://${hostname}:${port}`, { rejectUnauthorized: false });
  try {
    const outcome = await new Promise<string>((resolve, reject) => {
      session.on("error", reject);
      const stream = session.request({ ":path": path });
      let seen = "";
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        seen += text;
        if (seen.includes("begun")) release(go);
      });
      stream.on("error", (error: Error) => resolve(`${seen.trim()} error ${error.message}`));
      stream.on("end", () => resolve(`${seen.trim()} end`));
      stream.end();
    });
    assert.match(outcome, /^begun error/);
  } finally {
    session.destroy();
  }
}

async function settlesForHttp1({ hostname, port }: Served): Promise<void> {
  const protocol = await new Promise((resolve, reject) => {
    const socket = connectTls({
      host: hostname,
      port,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2", "http/1.1"],
    }, () => {
      resolve(socket.alpnProtocol);
      socket.destroy();
    });
    socket.on("error", reject);
  });
  assert.notEqual(protocol, "h2");
}
