/**
 * The kinds of requests of the soak.
 *
 * @module
 */

import { chunk, connect, get, type RawConnection, requestHead, type Target } from "./_http.ts";

/** Plays one request on a connection of its own. Says what was wrong with the answer, or `null`. */
export type Play = (connection: RawConnection, random: () => number) => Promise<string | null>;

const MANY = "x".repeat(150_000);

/** All of them. */
export const KINDS: Readonly<Record<string, Play>> = {
  hello: (connection) => expect(connection, get("/hello"), 200, "hello\n"),
  keepAlive: async (connection) =>
    await expect(connection, get("/hello"), 200, "hello\n") ??
      await expect(connection, get("/slow"), 200, "1\n2\n3\n"),
  head: (connection) => expect(connection, requestHead("HEAD", "/hello"), 200),
  slow: (connection) => expect(connection, get("/slow"), 200, "1\n2\n3\n"),
  redirect: (connection) => expect(connection, get("/redirect"), 200, "hello\n"),
  noisy: (connection) => expect(connection, get("/noisy"), 200, "done\n"),
  background: (connection) => expect(connection, get("/background"), 200, "done\n"),
  noHead: (connection) => expect(connection, get("/no-head"), 502),
  nothing: (connection) => expect(connection, get("/nothing"), 502),
  timeout: (connection) => expect(connection, get("/silent"), 504),
  stubborn: (connection) => expect(connection, get("/stubborn"), 504),
  fails: (connection) => expectBroken(connection, "/fails"),
  killed: (connection) => expectBroken(connection, "/killed"),
  short: (connection) => expectBroken(connection, "/short"),
  idle: (connection) => expectBroken(connection, "/silent-after"),
  upload(connection, random) {
    const body = MANY.slice(0, random() * MANY.length);
    return expect(
      connection,
      requestHead("POST", "/echo", `Content-Length: ${body.length}`) + body,
      200,
      body,
    );
  },
  unread: (connection) =>
    expect(
      connection,
      requestHead("POST", "/unread", `Content-Length: ${MANY.length}`) + MANY,
      200,
      "done\n",
    ),
  async chunks(connection, random) {
    const body = MANY.slice(0, 1 + random() * MANY.length);
    await connection.send(requestHead("POST", "/echo", "Transfer-Encoding: chunked"));
    await connection.send(chunk(body));
    return await expect(connection, chunk(), 200, body);
  },
  async leavesBeforeHead(connection, random) {
    await connection.send(get("/silent"));
    await pause(random() * 60);
    return null;
  },
  async leavesAfterHead(connection, random) {
    await connection.send(get("/silent-after"));
    await connection.head().catch(() => {});
    await pause(random() * 30);
    return null;
  },
  async leavesDuringBody(connection) {
    await connection.send(get("/large"));
    await connection.received(1000).catch(() => {});
    connection.reset();
    return null;
  },
  async leavesDuringUpload(connection, random) {
    const length = random() < 0.5 ? "Content-Length: 300000" : "Transfer-Encoding: chunked";
    await connection.send(requestHead("POST", "/echo", length));
    await connection.send(length.startsWith("C") ? MANY : chunk(MANY));
    await pause(random() * 20);
    return null;
  },
  async resetsDuringUpload(connection, random) {
    await connection.send(requestHead("POST", "/echo", "Content-Length: 300000") + MANY);
    await pause(random() * 20);
    connection.reset();
    return null;
  },
  async leavesAtOnce(connection) {
    await connection.send(get("/slow"));
    return null;
  },
  async leavesInHead(connection) {
    await connection.send("GET /hello HTTP/1.1\r\nHost");
    return null;
  },
  async leavesInPipeline(connection) {
    await connection.send(get("/hello") + get("/slow") + get("/silent"));
    await connection.response({ timeout: 30_000 });
    connection.reset();
    return null;
  },
  async sendsNonsense(connection, random) {
    const after = random() < 0.5 ? requestHead("POST", "/echo", "Transfer-Encoding: chunked") : "";
    await connection.send(`${after}\x16\x03\x01\r\n\r\n`);
    await connection.ended(30_000);
    return null;
  },
};

/** Plays one. */
export async function play(target: Target, kind: string, random: () => number): Promise<string | null> {
  const connection = await connect(target);
  try {
    return await KINDS[kind]!(connection, random);
  } catch (error) {
    return String(error);
  } finally {
    connection.close();
  }
}

async function expect(
  connection: RawConnection,
  request: string | Uint8Array,
  status: number,
  text?: string,
): Promise<string | null> {
  const method = typeof request === "string" ? request.split(" ", 1)[0]! : "POST";
  const [response] = await Promise.all([
    connection.response({ method, timeout: 30_000 }),
    connection.send(request).catch(() => {}),
  ]);
  if (response.status !== status) return `status ${response.status} in place of ${status}`;
  if (!response.complete) return "an incomplete response";
  return text === undefined || response.text === text ? null : `a body of ${response.body.length} bytes`;
}

async function expectBroken(connection: RawConnection, path: string): Promise<string | null> {
  await connection.send(get(path));
  const response = await connection.response({ timeout: 30_000 }).catch((error: Error) => {
    if (/ended \(.*\) before a response/.test(error.message)) return null;
    throw error;
  });
  // On a busy machine its end is known before anything was sent.
  return response?.complete && response.status < 500 ? "a response that looks complete" : null;
}

/** Lets time pass. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
