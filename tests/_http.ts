/**
 * A client that sends exactly the bytes it is given and reports exactly what
 * came back, for tests of what `fetch` would tidy up.
 *
 * Everything resolves as soon as it is known, so that no test has to sleep.
 *
 * @module
 */

import { connect as connectTcp, type Socket } from "node:net";
import {
  concat,
  type ConnectionEnd,
  type RawResponse,
  responseParser,
  toBytes,
  toLatin1,
} from "./_http_parser.ts";
import { connectOver } from "./_tls_client.ts";

export { concat, toBytes, toLatin1 };
export type { ConnectionEnd, RawResponse };

/** Where to connect. */
export interface Target {
  readonly hostname: string;
  readonly port: number;
  /** Over TLS, whatever the certificate. */
  readonly secure?: boolean;
}

/** What is known about a request, to read its response. */
export interface ResponseOptions {
  /** Of the request: a response to `HEAD` has no body. */
  readonly method?: string;
  /** In milliseconds. @default 10000 */
  readonly timeout?: number;
}

/** An open connection. */
export interface RawConnection {
  /** The TCP connection, also below TLS. */
  readonly socket: Socket;
  /** Resolves once the system has taken the bytes, however long that takes. */
  send(data: string | Uint8Array): Promise<void>;
  /** Sends a FIN and goes on reading. */
  halfClose(): void;
  /** Breaks the connection with a reset. */
  reset(): void;
  /** Closes the connection. */
  close(): void;
  /** The next response, head and body. */
  response(options?: ResponseOptions): Promise<RawResponse>;
  /** The head of the next response alone; the body stays to be read. */
  head(options?: ResponseOptions): Promise<RawResponse>;
  /** Resolves once unread bytes of this length are there (raw, not parsed). */
  received(length: number, timeout?: number): Promise<Uint8Array>;
  /** Takes all that has come in and was not read yet. */
  take(): Uint8Array;
  /** Stops reading from the socket, so that the server's writes block. */
  pause(): void;
  resume(): void;
  /** How the connection ended, once it has. */
  ended(timeout?: number): Promise<ConnectionEnd>;
}

const DEADLINE = 10_000;

/** Opens a connection. */
export async function connect(target: Target): Promise<RawConnection> {
  const socket = await openTcp(target);
  const stream = target.secure ? await openTls(socket) : socket;
  const inbox = collect(stream);
  return {
    socket,
    send: (data) => send(stream, data),
    halfClose: () => void stream.end(),
    reset: () => void socket.resetAndDestroy(),
    close: () => void stream.destroy(),
    response({ method = "GET", timeout } = {}) {
      const parse = responseParser(method, "whole");
      return inbox.until(
        (bytes, end) => {
          const parsed = parse(bytes, end);
          if (parsed !== null) inbox.consume(parsed.length);
          return parsed && parsed.response;
        },
        timeout,
        "a response",
      );
    },
    head({ method = "GET", timeout } = {}) {
      const parse = responseParser(method, "head");
      return inbox.until(
        (bytes, end) => {
          const parsed = parse(bytes, end);
          if (parsed !== null) inbox.consume(parsed.headLength);
          return parsed && parsed.response;
        },
        timeout,
        "the head of a response",
      );
    },
    received: (length, timeout) =>
      inbox.until(
        (bytes) => bytes.length >= length ? bytes.slice() : null,
        timeout,
        `${length} bytes`,
      ),
    take() {
      const bytes = inbox.bytes().slice();
      inbox.consume(bytes.length);
      return bytes;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    ended: (timeout) => inbox.until((_bytes, end) => end, timeout, "the end of the connection"),
  };
}

/** Sends these bytes on a new connection and reads one response. */
export async function exchange(
  target: Target,
  data: string | Uint8Array,
  options: ResponseOptions = {},
): Promise<RawResponse> {
  const connection = await connect(target);
  try {
    const method = typeof data === "string" ? data.split(" ", 1)[0]! : "";
    const [response] = await Promise.all([
      connection.response({ method, ...options }),
      // A server may answer and close before it has read everything.
      connection.send(data).catch(() => {}),
    ]);
    return response;
  } finally {
    connection.close();
  }
}

/** How slowly an answer is taken, in turns of the event loop. */
export interface Pace {
  /** In which nothing is read. */
  readonly pause: number;
  /** In which is read, before the next pause. */
  readonly read: number;
}

/** The next response, taken so slowly that the server has to wait again and again. */
export async function responseSlowly(connection: RawConnection, pace: Pace): Promise<RawResponse> {
  const response = connection.response({ timeout: 60_000 });
  let isOver = false;
  const over = () => isOver = true;
  response.then(over, over);
  while (!isOver) {
    connection.pause();
    await turns(pace.pause);
    connection.resume();
    await turns(pace.read);
  }
  return response;
}

/** Lets so many turns of the event loop pass. */
export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise((turn) => setImmediate(turn));
}

/** A GET request for this target, exactly as written. */
export function get(path: string, ...headers: string[]): string {
  return requestHead("GET", path, ...headers);
}

/** The head of a request; `Host: localhost` unless one of the headers is it. */
export function requestHead(
  method: string,
  path: string,
  ...headers: string[]
): string {
  const host = headers.some((header) => /^host:/i.test(header)) ? [] : ["Host: localhost"];
  return [`${method} ${path} HTTP/1.1`, ...host, ...headers, "", ""].join(
    "\r\n",
  );
}

/** The bytes as a chunk of a chunked body; no bytes: the last one. */
export function chunk(data: string | Uint8Array = ""): Uint8Array {
  const bytes = toBytes(data);
  return concat([
    toBytes(bytes.length.toString(16) + "\r\n"),
    bytes,
    toBytes("\r\n"),
  ]);
}

async function openTcp({ hostname, port }: Target): Promise<Socket> {
  const socket = connectTcp({ host: hostname, port, allowHalfOpen: true });
  socket.setNoDelay(true);
  await opened(socket, "connect");
  return socket;
}

async function openTls(socket: Socket): Promise<Socket> {
  const stream = connectOver(socket);
  await opened(stream, "secureConnect");
  return stream;
}

function opened(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once(event, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}

function send(socket: Socket, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(
      toBytes(data),
      (error) => error ? reject(error) : resolve(),
    );
  });
}

interface Inbox {
  bytes(): Uint8Array;
  consume(length: number): void;
  until<T>(
    attempt: (bytes: Uint8Array, end: ConnectionEnd | null) => T | null,
    timeout: number | undefined,
    what: string,
  ): Promise<T>;
}

/** Keeps what arrives, and tells everybody who waits. */
function collect(socket: Socket): Inbox {
  let buffer = new Uint8Array(1024);
  let from = 0;
  let to = 0;
  let end: ConnectionEnd | null = null;
  const waiting = new Set<() => void>();
  const notify = () => waiting.forEach((wake) => wake());
  function finish(how: ConnectionEnd): void {
    end ??= how;
    notify();
  }
  socket.on("data", (piece: Uint8Array) => {
    if (to + piece.length > buffer.length) {
      const unread = buffer.subarray(from, to);
      const needed = unread.length + piece.length;
      if (needed * 2 > buffer.length) buffer = new Uint8Array(needed * 2);
      buffer.set(unread);
      from = 0;
      to = unread.length;
    }
    buffer.set(piece, to);
    to += piece.length;
    notify();
  });
  socket.on("error", () => finish("reset"));
  socket.on("end", () => finish("fin"));
  socket.on("close", (failed: boolean) => finish(failed ? "reset" : "fin"));
  const bytes = () => buffer.subarray(from, to);
  return {
    bytes,
    consume(length) {
      from += length;
    },
    until(attempt, timeout = DEADLINE, what) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          settle();
          const seen = JSON.stringify(toLatin1(bytes().subarray(0, 400)));
          reject(
            new Error(
              `No sign of ${what} after ${timeout} ms (connection ` +
                `${end ?? "open"}, ${to - from} bytes unread: ${seen})`,
            ),
          );
        }, timeout);
        function settle(): void {
          waiting.delete(wake);
          clearTimeout(timer);
        }
        function wake(): void {
          try {
            const value = attempt(bytes(), end);
            if (value !== null) {
              settle();
              resolve(value);
            } else if (end !== null) {
              throw new Error(`The connection ended (${end}) before ${what}`);
            }
          } catch (error) {
            settle();
            reject(error);
          }
        }
        waiting.add(wake);
        wake();
      });
    },
  };
}
