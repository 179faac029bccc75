/** What `Network.listen` owes over HTTP/2, on the runtime that offers it; and that the others speak HTTP/1.1. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFile, execFileSync } from "node:child_process";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { Connection, Handler, Sent } from "../../src/handler.ts";
import type { ListenOptions } from "../../src/runtime.ts";
import { runtime } from "../_runtime.ts";
import { makeCertificate } from "./_certificate.ts";
import { promised, type Serving, serving, within } from "./_serving.ts";

const certificate = makeCertificate();
after(() => certificate?.remove());
const noCertificate = certificate === null && "openssl is not installed";
const skip = noCertificate || (runtime.name !== "node" && "this runtime offers HTTP/1.1 alone: see below");

/** Serves over TLS. */
function secure(
  handler: Handler,
  use: (serving: Serving) => Promise<void>,
  options: Partial<ListenOptions> = {},
): Promise<void> {
  const { cert, key } = certificate!;
  return serving(handler, use, { tls: { cert, key }, ...options });
}

/** Serves over TLS to a session of HTTP/2. */
function session(
  handler: Handler,
  use: (client: ClientHttp2Session, serving: Serving) => Promise<void>,
): Promise<void> {
  return secure(handler, async (serving) => {
    const client = open(serving);
    try {
      await use(client, serving);
    } finally {
      client.destroy();
    }
  });
}

function open({ target: { port } }: Serving): ClientHttp2Session {
  const client = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  client.on("error", () => {});
  return client;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** What the stream was reset with; 0 for a proper end. */
  readonly code: number;
}

function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve) => {
    let headers: Readonly<Record<string, unknown>> = {};
    const pieces: Buffer[] = [];
    stream.on("response", (fields) => headers = fields);
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    stream.on("error", () => {});
    stream.on("close", () => {
      const text = Buffer.concat(pieces).toString();
      resolve({ status: Number(headers[":status"] ?? 0), headers, text, code: stream.rstCode ?? 0 });
    });
  });
}

function ask(client: ClientHttp2Session, fields: OutgoingHttpHeaders, body?: string): Promise<Answer> {
  const stream = client.request(fields, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return within(answerOf(stream), "an answer");
}

/** The protocol that is chosen for a client that takes both. */
function negotiated({ target: { port } }: Serving): Promise<string | false | null> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] };
    const socket = connectTls(options, () => {
      resolve(socket.alpnProtocol);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("HTTP/2 is what Node chooses, and HTTP/1.1 what the others do, and what http2: false asks for", {
  skip: noCertificate,
}, async () => {
  const handler = () => new Response("x");
  await secure(handler, async (serving) => {
    assert.equal(await negotiated(serving) === "h2", runtime.name === "node");
  });
  await secure(handler, async (serving) => assert.notEqual(await negotiated(serving), "h2"), {
    http2: false,
  });
});

test("a request is what it would be in HTTP/1.1", { skip }, () => {
  let seen: readonly [Request, Connection | undefined] | undefined;
  return session((request, connection) => {
    seen = [request, connection];
    return new Response("hello", {
      status: 418,
      statusText: "Short and stout",
      headers: { "x-a": "b", connection: "close", "keep-alive": "timeout=5" },
    });
  }, async (client, { target }) => {
    const { port } = target;
    const { status, headers, text, code } = await ask(client, {
      ":path": "/a?b=c",
      cookie: ["a=1", "b=2"],
      "x-name": ["1", "2"],
    });
    assert.deepEqual([status, text, code], [418, "hello", 0]);
    assert.equal(headers["x-a"], "b");
    assert.equal(headers["content-length"], "5");
    assert.ok(Math.abs(Date.parse(String(headers["date"])) - Date.now()) < 5000);
    for (const name of ["connection", "keep-alive", "transfer-encoding"]) {
      assert.equal(headers[name], undefined);
    }
    const [request, connection] = seen!;
    assert.equal(request.url, `https://127.0.0.1:${port}/a?b=c`);
    assert.equal(request.body, null);
    assert.deepEqual([...request.headers], [
      ["cookie", "a=1; b=2"],
      ["host", `127.0.0.1:${port}`],
      ["x-name", "1, 2"],
    ]);
    assert.equal(connection?.protocol, "HTTP/2.0");
    assert.equal(connection?.secure, true);
    assert.equal(connection?.remote?.hostname, "127.0.0.1");
    assert.equal(connection?.local?.port, port);
  });
});

test("HEAD, 204 and 304 have no body", { skip }, () =>
  session((request) => {
    const status = Number(new URL(request.url).pathname.slice(1));
    return new Response(null, { status, headers: status === 200 ? { "content-length": "5" } : {} });
  }, async (client) => {
    const head = await ask(client, { ":method": "HEAD", ":path": "/200" });
    assert.deepEqual([head.status, head.headers["content-length"], head.text], [200, "5", ""]);
    for (const status of [204, 304]) {
      const answer = await ask(client, { ":path": `/${status}` });
      assert.deepEqual([answer.status, answer.text, answer.code], [status, "", 0]);
    }
  }));

test(
  "what is asked wrongly is refused, and the session goes on",
  { skip },
  () =>
    session(() => new Response("fine"), async (client) => {
      const refused = [
        [{ ":path": "/", ":authority": "here", host: "elsewhere" }, 400],
        [{ ":path": "/", ":authority": "a:99999" }, 400],
        [{ ":method": "CONNECT", ":authority": "a:1" }, 501],
        [{ ":path": "/", "x-large": "x".repeat(12_000) }, 200],
      ] as const;
      for (const [fields, status] of refused) {
        assert.equal((await ask(client, fields)).status, status, JSON.stringify(fields));
      }
      assert.equal(
        (await ask(client, { ":method": "POST", ":path": "/", expect: "tea" }, "abc")).status,
        417,
      );
      assert.equal((await ask(client, { ":path": "/", ":authority": "a", host: "a" })).text, "fine");
      assert.equal((await ask(client, { ":path": "/" })).text, "fine");
    }),
);

function hasCurl(): boolean {
  try {
    return execFileSync("curl", ["--version"], { encoding: "utf8" }).includes("HTTP2");
  } catch {
    return false;
  }
}

test("a head of 20 KiB is answered 431, as in HTTP/1.1, whatever the client was told", {
  skip: skip || !hasCurl() && "curl with HTTP/2 is not installed",
}, () =>
  secure(() => new Response("fine"), async ({ target: { port } }) => {
    for (const [size, status] of [[20_000, 431], [12_000, 200]] as const) {
      const shown = await new Promise<string>((resolve) => {
        const url = `https://127.0.0.1:${port}/`;
        const field = `X: ${"x".repeat(size)}`;
        const args = [
          "-sk",
          "--http2",
          "-o",
          "/dev/null",
          "-w",
          "%{http_version} %{http_code}",
          "-H",
          field,
          url,
        ];
        execFile("curl", args, (_error, out) => resolve(out));
      });
      assert.equal(shown, `2 ${status}`);
    }
  }));

test(
  "bodies go both ways at once, with a length and without",
  { skip },
  () =>
    session((request) => new Response(request.body), async (client) => {
      const body = Buffer.alloc(8 << 20, "0123456789abcdef");
      for (const fields of [{}, { "content-length": body.length }]) {
        const stream = client.request({ ":method": "POST", ":path": "/", ...fields });
        const answer = within(answerOf(stream), "an echo");
        stream.end(body);
        const { status, text, code } = await answer;
        assert.deepEqual([status, text.length, code], [200, body.length, 0]);
        assert.ok(text === body.toString());
      }
    }),
);

test("100 Continue comes when the body is read, and not before", { skip }, () => {
  const go = promised<void>();
  return session(async (request) => {
    await go.promise;
    return new Response(await request.text());
  }, async (client) => {
    const stream = client.request({ ":method": "POST", ":path": "/", expect: "100-continue" });
    const answer = answerOf(stream);
    const order: string[] = [];
    const continued = new Promise<void>((resolve) =>
      stream.once("continue", () => {
        order.push("continue");
        resolve();
      })
    );
    order.push("read");
    go.resolve();
    await within(continued, "100 Continue");
    stream.end("body");
    assert.equal((await within(answer, "the answer")).text, "body");
    assert.deepEqual(order, ["read", "continue"]);
  });
});

test(
  "a body that nobody reads does not hold up the answer, nor the session",
  { skip },
  () =>
    session((request) => new Response(new URL(request.url).pathname), async (client) => {
      const stream = client.request({ ":method": "POST", ":path": "/first" });
      const answer = answerOf(stream);
      // It is never ended.
      stream.write(Buffer.alloc(1 << 20));
      const { status, text, code } = await within(answer, "the answer");
      assert.deepEqual([status, text, code], [200, "/first", constants.NGHTTP2_NO_ERROR]);
      assert.equal((await ask(client, { ":path": "/second" })).text, "/second");
    }),
);

test(
  "a stream that is reset: the handler's signal, the body that is read, the body that is sent",
  { skip },
  () => {
    const events: Record<string, ReturnType<typeof promised<unknown>>> = {
      "/signal": promised(),
      "/upload": promised(),
      "/download": promised(),
      "/sent": promised(),
    };
    return session((request, connection) => {
      const { pathname } = new URL(request.url);
      const { resolve } = events[pathname]!;
      if (pathname === "/signal") {
        return new Promise((settle) =>
          request.signal.addEventListener("abort", () => {
            resolve(true);
            settle(new Response());
          })
        );
      }
      if (pathname === "/upload") {
        return request.text().then(() => new Response("whole"), (error) => {
          resolve(error);
          return new Response();
        });
      }
      connection?.onSent?.((sent: Sent) => events["/sent"]!.resolve(sent));
      return new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("begun")),
          cancel: () => resolve(true),
        }),
      );
    }, async (client, { errors }) => {
      const reset = (stream: ClientHttp2Stream) => stream.close(constants.NGHTTP2_CANCEL);
      const signal = client.request({ ":path": "/signal" });
      signal.once("ready", () => reset(signal));
      const upload = client.request({ ":method": "POST", ":path": "/upload" });
      // Node would end the body before it resets the stream.
      upload.write("part", () => void upload.destroy());
      const download = client.request({ ":path": "/download" });
      download.once("data", () => reset(download));
      for (const stream of [signal, upload, download]) stream.on("error", () => {});
      await within(events["/signal"]!.promise, "the signal");
      assert.ok(await within(events["/upload"]!.promise, "the upload") instanceof Error);
      await within(events["/download"]!.promise, "the cancel");
      const sent = await within(events["/sent"]!.promise, "onSent") as Sent;
      assert.deepEqual([sent.begun, sent.complete], [true, false]);
      assert.deepEqual(errors, []);
    });
  },
);

test("a session that is cut lets go of all its streams", { skip }, () => {
  let cancelled = 0;
  const all = promised<void>();
  return session(() =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(10)),
        cancel() {
          if (++cancelled === 5) all.resolve();
        },
      }),
    ), async (client) => {
    const streams = Array.from({ length: 5 }, () => client.request({ ":path": "/" }));
    await Promise.all(streams.map((stream) => {
      stream.on("error", () => {});
      return new Promise((resolve) => stream.once("data", resolve));
    }));
    client.destroy();
    await within(all.promise, "five cancels");
  });
});

test(
  "a body that fails, and one that is too short, break their stream and no other",
  { skip },
  () =>
    session((request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/short") return new Response("abc", { headers: { "content-length": "5" } });
      return new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("part")),
          pull(controller) {
            if (pathname === "/fails") controller.error(new Error("broken"));
            else controller.close();
          },
        }),
      );
    }, async (client, { errors }) => {
      for (const path of ["/short", "/fails"]) {
        const { code } = await ask(client, { ":path": path });
        assert.equal(code, constants.NGHTTP2_INTERNAL_ERROR, path);
      }
      const { text, code } = await ask(client, { ":path": "/whole" });
      assert.deepEqual([text, code], ["part", 0]);
      assert.equal(errors.length, 2);
    }),
);

test("a client that does not read stalls its stream alone", { skip }, () => {
  let pulled = 0;
  return session(
    (request) =>
      new URL(request.url).pathname === "/small" ? new Response("small") : new Response(
        new ReadableStream({
          pull(controller) {
            pulled += 65536;
            controller.enqueue(new Uint8Array(65536));
          },
        }, { highWaterMark: 0 }),
      ),
    async (client) => {
      const stream = client.request({ ":path": "/endless" });
      stream.on("error", () => {});
      await new Promise((resolve) => stream.once("response", resolve));
      let before = -1;
      while (before !== pulled) {
        before = pulled;
        assert.equal((await ask(client, { ":path": "/small" })).text, "small");
      }
      assert.ok(pulled < 4 << 20, `${pulled} bytes for a client that reads nothing`);
      stream.close();
    },
  );
});

test("many large answers at once, to a client that does not read: none is refused", { skip }, () => {
  const body = new Uint8Array(1 << 20);
  return secure(() => new Response(body), async ({ target: { port } }) => {
    const settings = { initialWindowSize: 0 };
    const client = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, settings });
    const statuses = Array.from({ length: 40 }, () =>
      new Promise((resolve) => {
        const stream = client.request({ ":path": "/" });
        stream.on("response", (fields) => resolve(fields[":status"]));
        stream.on("error", resolve);
      }));
    assert.deepEqual(new Set(await within(Promise.all(statuses), "all heads")), new Set([200]));
    client.destroy();
  });
});

test("an answer that is reset before it was sent is not told as complete", { skip }, () => {
  const told = promised<Sent>();
  return secure((_request, connection) => {
    connection?.onSent?.(told.resolve);
    return new Response("a few bytes");
  }, async ({ target: { port } }) => {
    const settings = { initialWindowSize: 0 };
    const client = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, settings });
    const stream = client.request({ ":path": "/" });
    stream.on("error", () => {});
    stream.on("response", () => stream.close(constants.NGHTTP2_CANCEL));
    const { begun, complete } = await within(told.promise, "onSent");
    assert.deepEqual([begun, complete], [true, false]);
    client.destroy();
  });
});

test("close() lets a running response finish, takes no more, and ends the session", { skip }, () => {
  const go = promised<void>();
  const asked = promised<void>();
  return session(async () => {
    asked.resolve();
    await go.promise;
    return new Response("the last");
  }, async (client, { listener }) => {
    const goaway = new Promise((resolve) => client.once("goaway", resolve));
    const ended = new Promise((resolve) => client.once("close", resolve));
    const answer = ask(client, { ":path": "/" });
    await asked.promise;
    const closed = listener.close();
    await within(goaway, "GOAWAY");
    go.resolve();
    assert.equal((await answer).text, "the last");
    await within(ended, "the end of the session");
    await within(closed, "close()");
  });
});

test("close() ends an idle session, and breaks what takes longer than its grace", { skip }, async () => {
  for (const isIdle of [true, false]) {
    await session(() => new Response(isIdle ? "x" : new ReadableStream()), async (client, { listener }) => {
      const stream = client.request({ ":path": "/" });
      stream.on("error", () => {});
      await new Promise((resolve) => stream.once("response", resolve));
      if (isIdle) await within(answerOf(stream), "the answer");
      const ended = new Promise((resolve) => client.once("close", resolve));
      await within(listener.close(isIdle ? 60_000 : 50), "close()");
      await within(ended, "the end of the session");
    });
  }
});

test("thousands of streams that are reset at once leave nothing behind", { skip }, async () => {
  let running = 0;
  await secure((request) => {
    running++;
    return new Promise((resolve) =>
      request.signal.addEventListener("abort", () => {
        running--;
        resolve(new Response());
      })
    );
  }, async (serving) => {
    const client = open(serving);
    const gone = new Promise((resolve) => client.once("close", resolve));
    let reset = 0;
    while (reset < 5000 && !client.destroyed) {
      for (let n = 0; n < 50 && !client.destroyed; n++, reset++) {
        const stream = client.request({ ":path": "/" });
        stream.on("error", () => {});
        stream.once("ready", () => stream.close(constants.NGHTTP2_CANCEL));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.destroy();
    await within(gone, "the end of the session");
    const other = open(serving);
    const settled = async () => {
      while (running > 0) await new Promise((resolve) => setImmediate(resolve));
    };
    await within(settled(), "all handlers");
    other.destroy();
  });
});
