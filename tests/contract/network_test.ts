/** What `Network.listen` owes: a socket that opens or says why not, and that closes in good order. */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { after, test } from "node:test";
import { runtime } from "../../adapters/auto.ts";
import { type Bytes, ListenError, type ListenOptions, type TlsOptions } from "../../src/runtime.ts";
import { respond } from "../../src/response.ts";
import { connect, exchange, get, requestHead, toBytes } from "../_http.ts";
import { makeCertificate } from "./_certificate.ts";
import { memoryFile } from "./_memory_file.ts";
import { promised, serving, within } from "./_serving.ts";

const hello = () => new Response("Hello");

function listen(options: Partial<ListenOptions>): Promise<unknown> {
  return runtime.network.listen(hello, { hostname: "127.0.0.1", port: 0, ...options });
}

function isListenError(reason: ListenError["reason"], message: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof ListenError, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.match(error.message, message);
    return true;
  };
}

test("listen() finds a free port where 0 is asked for, and says which", () =>
  serving(hello, async ({ target, listener }) => {
    assert.equal(listener.address.hostname, "127.0.0.1");
    assert.ok(listener.address.port > 0);
    assert.equal((await exchange(target, get("/"))).text, "Hello");
  }));

test("listen() accepts a name", () =>
  serving(hello, async ({ listener: { address } }) => {
    const response = await exchange({ hostname: "localhost", port: address.port }, get("/"));
    assert.equal(response.text, "Hello");
  }, { hostname: "localhost" }));

test("listen() says that a port is in use", () =>
  serving(hello, async ({ target: { port } }) => {
    await assert.rejects(
      listen({ port }),
      isListenError("in-use", new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is already in use$`)),
    );
  }));

test("listen() says that a port is in use by somebody else", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  await assert.rejects(listen({ port }), isListenError("in-use", /is already in use$/));
  await new Promise((resolve) => other.close(resolve));
});

for (const hostname of ["192.0.2.1", "no-such-host.invalid"]) {
  test(`listen() says that ${hostname} is not this machine`, async () => {
    await assert.rejects(listen({ hostname }), isListenError("unavailable", new RegExp(hostname)));
  });
}

const hasIpv6 = Object.values(networkInterfaces()).flat().some((entry) => entry?.address === "::1");

test(
  "listen() serves IPv6",
  { skip: !hasIpv6 && "this machine has no ::1" },
  () =>
    serving((_request, connection) => Response.json(connection), async ({ target, listener }) => {
      assert.equal(listener.address.hostname, "::1");
      const { remote, local } = JSON.parse((await exchange(target, get("/"))).text);
      assert.equal(remote.hostname, "::1");
      assert.deepEqual(local, { hostname: "::1", port: target.port });
    }, { hostname: "::1" }),
);

test("listen() calls an IPv4 client of an IPv6 socket by its IPv4 address", {
  skip: !hasIpv6 && "this machine has no ::1",
}, () =>
  serving((_request, connection) => Response.json(connection), async ({ listener: { address } }) => {
    const response = await exchange({ hostname: "127.0.0.1", port: address.port }, get("/"));
    assert.equal(JSON.parse(response.text).remote.hostname, "127.0.0.1");
  }, { hostname: "::" }));

const certificate = makeCertificate();
after(() => certificate?.remove());
const skip = certificate === null && "openssl is not installed";

for (const encrypted of [false, true]) {
  test(`listen() serves TLS${encrypted ? " with an encrypted key" : ""}`, { skip }, () => {
    const { cert, key, encryptedKey, passphrase } = certificate!;
    const tls = encrypted ? { cert, key: encryptedKey, passphrase } : { cert, key };
    return serving(
      (request, connection) => Response.json({ url: request.url, ...connection }),
      async ({ target }) => {
        const connection = await connect(target);
        await connection.send(get("/x"));
        const { url, secure, remote } = JSON.parse((await connection.response()).text);
        assert.equal(url, "https://localhost/x");
        assert.equal(secure, true);
        assert.deepEqual(remote, { hostname: "127.0.0.1", port: connection.socket.localPort });
        connection.close();
      },
      { tls },
    );
  });
}

test(
  "listen() echoes over TLS",
  { skip },
  () =>
    serving((request) => new Response(request.body), async ({ target }) => {
      const body = new Uint8Array(4 << 20).fill(7);
      const connection = await connect(target);
      const sent = connection.send(requestHead("POST", "/", `Content-Length: ${body.length}`)).then(() =>
        connection.send(body)
      );
      const response = await connection.response();
      await sent;
      assert.equal(response.complete, true);
      assert.deepEqual(response.body, body);
      connection.close();
    }, { tls: certificate! }),
);

test("listen() says what is wrong with a certificate, key or passphrase", { skip }, async () => {
  const { cert, key, encryptedKey, passphrase, otherKey } = certificate!;
  const wrong: readonly [TlsOptions, keyof TlsOptions][] = [
    [{ cert: "no certificate", key }, "cert"],
    [{ cert, key: "no key" }, "key"],
    [{ cert, key: cert }, "key"],
    [{ cert: key, key }, "cert"],
    [{ cert, key: otherKey }, "key"],
    [{ cert, key: encryptedKey, passphrase: passphrase + "x" }, "passphrase"],
    [{ cert, key: encryptedKey }, "passphrase"],
  ];
  const isTlsError = isListenError("tls", /^Cannot use the TLS certificate and key: /);
  for (const [index, [tls, part]] of wrong.entries()) {
    await assert.rejects(listen({ tls }), (error) => {
      assert.equal((error as ListenError).part, part);
      return isTlsError(error);
    }, `case ${index}`);
  }
});

test("close() stops accepting at once", async () => {
  const listener = await runtime.network.listen(hello, { hostname: "127.0.0.1", port: 0 });
  await listener.close();
  await assert.rejects(connect(listener.address));
});

test("close() ends idle connections, those that never asked, and those that ask forever", () =>
  serving(hello, async ({ target, listener }) => {
    const [idle, silent, slow] = [await connect(target), await connect(target), await connect(target)];
    await idle.send(get("/"));
    await idle.response();
    await slow.send("GET / HT");
    // The server has seen them all once it has answered one that came later.
    await exchange(target, get("/"));
    await within(listener.close(), "close()");
    await Promise.all([idle.ended(), slow.ended()]);
    // Bun does not tell of a connection before its first byte, and then resets it.
    if (runtime.name === "bun") await silent.send("G");
    await silent.ended();
    for (const connection of [idle, silent, slow]) connection.close();
  }));

test(
  "close() ends TLS connections that never shook hands",
  { skip },
  () =>
    serving(hello, async ({ target, listener }) => {
      const silent = await connect({ ...target, secure: false });
      await exchange(target, get("/"));
      await within(listener.close(), "close()");
      if (runtime.name === "bun") await silent.send("G");
      await silent.ended();
      silent.close();
    }, { tls: certificate! }),
);

for (const stage of ["handler", "body"] as const) {
  test(`close() lets a running ${stage} finish, then closes its connection`, () => {
    const arrived = promised<void>();
    const go = promised<void>();
    return serving(async () => {
      arrived.resolve();
      if (stage === "handler") {
        await go.promise;
        return new Response("whole");
      }
      return new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(toBytes("who"));
            await go.promise;
            controller.enqueue(toBytes("le"));
            controller.close();
          },
        }),
      );
    }, async ({ target, listener }) => {
      const connection = await connect(target);
      await connection.send(get("/"));
      await within(arrived.promise, "the request");
      let closed = false;
      const closing = listener.close().then(() => closed = true);
      await assert.rejects(connect(target));
      assert.equal(closed, false);
      go.resolve();
      const response = await connection.response();
      assert.equal(response.text, "whole");
      assert.equal(response.complete, true);
      await connection.ended();
      await within(closing, "close()");
      connection.close();
    });
  });
}

const LARGE = 16 << 20;

for (
  const [what, make] of [
    ["bytes", () => new Uint8Array(LARGE)],
    ["a file", () => ({ file: memoryFile("x".repeat(LARGE)), offset: 0, length: LARGE })],
    ["a stream", () => streamOf(LARGE)],
  ] as const
) {
  test(`close() lets a client that has paused have its whole response: ${what}`, () =>
    serving(() => respond(200, new Headers(), make()), async ({ target, listener }) => {
      const connection = await connect(target);
      await connection.send(get("/"));
      await connection.received(1);
      connection.pause();
      const closing = listener.close(60_000);
      await assert.rejects(connect(target));
      connection.resume();
      const response = await connection.response();
      assert.equal(response.complete, true);
      assert.equal(response.body.length, LARGE);
      await within(closing, "close()");
      connection.close();
    }));
}

/** So many bytes, each piece when it is asked for. */
function streamOf(length: number): ReadableStream<Bytes> {
  let left = length;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(Math.min(left, 1 << 16)));
      left -= 1 << 16;
      if (left <= 0) controller.close();
    },
  }, { highWaterMark: 0 });
}

test("close() breaks what runs longer than its grace", () => {
  const arrived = promised<void>();
  const cancelled = promised<void>();
  return serving(() => {
    arrived.resolve();
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(toBytes("forever")),
        cancel: () => cancelled.resolve(),
      }),
    );
  }, async ({ target, listener }) => {
    const connection = await connect(target);
    await connection.send(get("/"));
    await connection.head();
    await within(listener.close(50), "close()");
    await within(cancelled.promise, "cancel()");
    await connection.ended();
    connection.close();
  });
});

test("close() aborts a handler that runs longer than its grace", () => {
  const arrived = promised<void>();
  const aborted = promised<void>();
  return serving((request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    arrived.resolve();
    return new Promise<Response>(() => {});
  }, async ({ target, listener }) => {
    const connection = await connect(target);
    await connection.send(get("/"));
    await within(arrived.promise, "the request");
    await within(listener.close(50), "close()");
    await within(aborted.promise, "abort");
    await connection.ended();
    connection.close();
  });
});

test("close() may be called again, with less patience", () => {
  const arrived = promised<void>();
  return serving(() => {
    arrived.resolve();
    return new Promise<Response>(() => {});
  }, async ({ target, listener }) => {
    const connection = await connect(target);
    await connection.send(get("/"));
    await within(arrived.promise, "the request");
    const patient = listener.close();
    await within(listener.close(0), "close(0)");
    await within(patient, "close()");
    connection.close();
  });
});
