/** Clients that never shake hands, or not to the end; and certificates that change under those that have. */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import { after, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { listen, type Means } from "../adapters/shared/node_http/listener.ts";
import { ListenError } from "../src/runtime.ts";
import { connect, exchange, get } from "./_http.ts";
import { runtime } from "./_runtime.ts";
import { makeCertificate } from "./contract/_certificate.ts";
import { serving, within } from "./contract/_serving.ts";

const [first, second] = [makeCertificate(), makeCertificate()];
after(() => [first, second].forEach((certificate) => certificate?.remove()));
const skip = first === null && "openssl is not installed";

const means: Means = runtime.name === "bun" ? (await import("../adapters/bun/network.ts")).means : {};

/** The first bytes of a handshake: a record of 512 bytes is to follow. */
const HELLO = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03);

/** Sends this over TCP alone. */
async function tcp(port: number, bytes?: Uint8Array | string): Promise<Socket> {
  const socket = connectTcp(port, "127.0.0.1").on("error", () => {}).resume();
  await new Promise((resolve) => socket.once("connect", resolve));
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return within(new Promise((resolve) => socket.once("close", () => resolve())), "the end of a connection");
}

function tls(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, servername: "localhost", rejectUnauthorized: false };
    const socket = connectTls(options, () => resolve(socket));
    socket.on("error", reject);
  });
}

async function shown(port: number): Promise<string> {
  const socket = await tls(port);
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

test("a client that does not shake hands in time is cut, and no other", { skip }, async (t) => {
  const errors: unknown[] = [];
  const listener = await listen(() => new Response("fine"), {
    hostname: "127.0.0.1",
    port: 0,
    tls: first!,
    onError: (error) => errors.push(error),
  }, { ...means, times: { keepAlive: 65_000, head: 400 } });
  t.after(() => listener.close(0));
  const { port } = listener.address;
  const ends = await Promise.all([tcp(port), tcp(port, HELLO)]);
  const used = await connect({ ...listener.address, secure: true });
  let isOver = false;
  const over = Promise.all(ends.map(closed)).finally(() => isOver = true);
  while (!isOver) {
    await used.send(get("/"));
    assert.equal((await used.response()).text, "fine");
  }
  await over;
  used.close();
  assert.deepEqual(errors, []);
});

test(
  "what is no handshake ends its connection, and the server goes on",
  { skip },
  () =>
    serving(() => new Response("fine"), async ({ target, errors }) => {
      const { port } = target;
      await closed(await tcp(port, get("/")));
      await closed(await tcp(port, new Uint8Array(1000).fill(0xff)));
      for (let count = 0; count < 20; count++) {
        const socket = await tcp(port, HELLO);
        if (count % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
      }
      assert.equal((await exchange(target, get("/"))).text, "fine");
      assert.deepEqual(errors, []);
    }, { tls: first! }),
);

test(
  "setTls() is for connections to come; a bad certificate changes nothing",
  { skip },
  () =>
    serving(() => new Response("fine"), async ({ target, listener }) => {
      const { port } = listener.address;
      const [before, renewed] = [first!, second!].map(({ cert }) => new X509Certificate(cert).fingerprint256);
      const old = await connect(target);
      const ask = async () => {
        await old.send(get("/"));
        assert.equal((await old.response()).text, "fine");
      };
      await ask();
      const bad = { cert: second!.cert, key: first!.key };
      assert.throws(
        () => listener.setTls!(bad),
        (error) => error instanceof ListenError && error.part === "key",
      );
      assert.equal(await shown(port), before);
      for (const [tls, fingerprint] of [[second!, renewed], [first!, before], [second!, renewed]] as const) {
        listener.setTls!(tls);
        assert.equal(await shown(port), fingerprint);
        await ask();
      }
      old.close();
    }, { tls: first! }),
);
