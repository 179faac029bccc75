/**
 * The servers of the CGI conformance suite, and the ways to ask them: bytes on a socket.
 *
 * @module
 */

import assert from "node:assert/strict";
import "../../../adapters/auto.ts";
import type { Handler } from "../../../src/handler.ts";
import type { LogEvent, MessageEvent, ScriptErrorEvent, ScriptExitEvent } from "../../../src/log/events.ts";
import type { TlsOptions } from "../../../src/runtime.ts";
import { serve } from "../../../src/serve.ts";
import { site, type SiteCgiOptions, type SiteOptions } from "../../../src/site.ts";
import { concat, connect, type RawConnection, type RawResponse, type Target, toBytes } from "../../_http.ts";
import { root } from "./_scripts.ts";

/** A running server, and what it said. */
export interface Served extends Target {
  readonly events: readonly LogEvent[];
  /** The first message about a script that matches, now or later. */
  message(script: string, pattern: RegExp): Promise<MessageEvent>;
  /** The end of a script, by the end of its path. */
  exit(script: string): Promise<ScriptExitEvent>;
  /** A line on standard error that matches. */
  line(script: string, pattern: RegExp): Promise<ScriptErrorEvent>;
  /** Whether a script with this path has ended. */
  hasRun(script: string): boolean;
  /** Ends scripts, then connections. */
  close(graceMs?: number): Promise<void>;
}

/** How a site is served. */
export interface Serving extends Partial<Omit<SiteOptions, "cgi">> {
  /** Around the site's handler. */
  readonly around?: (handler: Handler) => Handler;
  readonly tls?: TlsOptions;
  readonly hostname?: string;
}

/** Longest wait for an event, in milliseconds. */
const PATIENCE = 20_000;

const running = new Set<Served>();
let usual: Promise<Served> | undefined;

/** The usual server: `cgi-bin`, `htbin` and `.cgi`, listings on, everything else by default. */
export function usualServer(): Promise<Served> {
  usual ??= serving();
  return usual;
}

/** A server with these options. Scripts run as the tests do unless said otherwise. */
export async function serving(cgi: SiteCgiOptions = {}, more: Serving = {}): Promise<Served> {
  const { around = (handler) => handler, tls, hostname = "127.0.0.1", ...options } = more;
  const handler = site({
    directory: root(),
    static: { listing: true },
    ...options,
    cgi: { user: null, extensions: [".cgi"], ...cgi },
    log: (event) => log.push(event),
  });
  const log = eventLog();
  const server = await serve({
    handler: around(handler),
    hostname,
    port: 0,
    log: log.push,
    ...(tls === undefined ? {} : { tls }),
  });
  const served: Served = {
    ...server.address,
    ...(tls === undefined ? {} : { secure: true }),
    ...log,
    async close(graceMs = 0) {
      running.delete(served);
      await handler.close(graceMs);
      await server.close(0);
    },
  };
  running.add(served);
  return served;
}

/** Closes all servers. */
export async function closeServers(): Promise<void> {
  usual = undefined;
  await Promise.all(Array.from(running, (served) => served.close()));
}

function eventLog() {
  const events: LogEvent[] = [];
  const waiting = new Set<() => void>();
  const speaksOf = (event: LogEvent, script: string) =>
    "script" in event && event.script?.endsWith(script) === true;

  function wait<T extends LogEvent>(is: (event: LogEvent) => event is T, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look);
        const told = JSON.stringify(events.filter(({ type }) => type !== "access").slice(-10));
        reject(new Error(`Not logged: ${what}; last was ${told}`));
      }, PATIENCE);
      function look(): void {
        const found = events.find(is);
        if (found === undefined) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found as T);
      }
      waiting.add(look);
      look();
    });
  }
  return {
    events,
    push(event: LogEvent) {
      events.push(event);
      for (const look of [...waiting]) look();
    },
    message: (script: string, pattern: RegExp) =>
      wait(
        (event): event is MessageEvent =>
          event.type === "message" && pattern.test(event.message) &&
          (event.script === undefined ? event.message.includes(script) : speaksOf(event, script)),
        `${script}: ${pattern}`,
      ),
    exit: (script: string) =>
      wait(
        (event): event is ScriptExitEvent => event.type === "script-exit" && speaksOf(event, script),
        `the end of ${script}`,
      ),
    line: (script: string, pattern: RegExp) =>
      wait(
        (event): event is ScriptErrorEvent =>
          event.type === "script-stderr" && speaksOf(event, script) && pattern.test(event.line),
        `${script}: ${pattern} on standard error`,
      ),
    hasRun: (script: string) =>
      events.some((event) => event.type === "script-exit" && speaksOf(event, script)),
  };
}

/** The bytes of a request. A `Host` unless one is given or it is HTTP/1.0; `Connection: close`. */
export function requestBytes(
  request: string,
  headers: readonly string[] = [],
  body: string | Uint8Array = "",
): Uint8Array {
  const line = / HTTP\/\d/.test(request) ? request : `${request} HTTP/1.1`;
  const needsHost = !line.endsWith("HTTP/1.0") && !headers.some((header) => /^host:/i.test(header));
  const head = [line, ...(needsHost ? ["Host: localhost"] : []), ...headers, "Connection: close", "", ""];
  return concat([toBytes(head.join("\r\n")), toBytes(body)]);
}

/**
 * Sends a request and reads everything up to the end of the connection: one whole response, and nothing after it.
 *
 * @param request The first line, without the protocol if it is HTTP/1.1: `GET /cgi-bin/env.sh`.
 */
export async function ask(
  target: Target,
  request: string,
  headers: readonly string[] = [],
  body: string | Uint8Array = "",
): Promise<RawResponse> {
  return await askBytes(target, requestBytes(request, headers, body), request.split(" ", 1)[0]);
}

/** The same with all bytes given. */
export async function askBytes(
  target: Target,
  bytes: Uint8Array | string,
  method = "GET",
): Promise<RawResponse> {
  const connection = await connect(target);
  try {
    // A server may answer, and close, before it has read everything.
    const sent = connection.send(bytes).catch(() => {});
    const response = await connection.response({ method, timeout: PATIENCE });
    await connection.ended(PATIENCE);
    await sent;
    assert.ok(response.complete, `the response is complete:\n${response.head}`);
    assert.equal(connection.take().length, 0, "bytes after the end of the response");
    return response;
  } finally {
    connection.close();
  }
}

/** Asks the usual server. */
export async function askUsual(
  request: string,
  headers: readonly string[] = [],
  body: string | Uint8Array = "",
): Promise<RawResponse> {
  return await ask(await usualServer(), request, headers, body);
}

/** What is left of a request whose answer may break off: `null` when not even the head came. */
export async function askBroken(
  target: Target,
  bytes: Uint8Array | string,
  method = "GET",
): Promise<RawResponse | null> {
  const connection = await connect(target);
  try {
    const sent = connection.send(bytes).catch(() => {});
    const response = await connection.response({ method, timeout: PATIENCE }).catch((error: Error) => {
      if (/The connection ended/.test(error.message)) return null;
      throw error;
    });
    await sent;
    return response;
  } finally {
    connection.close();
  }
}

/** A connection for as long as `use` takes. */
export async function talk<T>(target: Target, use: (connection: RawConnection) => Promise<T>): Promise<T> {
  const connection = await connect(target);
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

/** What the script that prints its environment has printed. */
export interface Environment {
  readonly variables: ReadonlyMap<string, string>;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** Reads it. */
export function environmentIn(response: RawResponse): Environment {
  assert.equal(response.status, 200, response.head);
  const lines = response.text.trimEnd().split("\n");
  const pairs = lines.map((line): [string, string] => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  });
  const names = pairs.map(([name]) => name).filter((name) => /^[A-Z_]+$/.test(name));
  assert.equal(new Set(names).size, names.length, `each name once: ${names}`);
  const variables = new Map(pairs);
  return {
    variables,
    args: pairs.filter(([name]) => name === "argument").map(([, value]) => value),
    cwd: variables.get("directory") ?? "",
  };
}

/** What variables must be: this text, matched by this, or not set. */
export type Expected = Readonly<Record<string, string | RegExp | null>>;

/** Checks variables, all in one message. */
export function expectVariables(response: RawResponse, expected: Expected): Environment {
  const environment = environmentIn(response);
  const wrong = Object.entries(expected).flatMap(([name, value]) => {
    const actual = environment.variables.get(name) ?? null;
    const right = value instanceof RegExp ? actual !== null && value.test(actual) : value === actual;
    return right ? [] : [
      `${name}: ${JSON.stringify(actual)}, not ${value instanceof RegExp ? value : JSON.stringify(value)}`,
    ];
  });
  assert.deepEqual(wrong, []);
  return environment;
}

/** Checks the status, and that nothing of a script's source is in the answer. */
export function expectStatus(response: RawResponse, ...statuses: readonly number[]): void {
  assert.ok(statuses.includes(response.status), `${response.status}, not ${statuses}: ${response.head}`);
  assert.doesNotMatch(response.text, /SOURCE-OF-A-SCRIPT|^#!/m);
}

/** Checks the status and the whole body. */
export function expectText(response: RawResponse, body: string, status = 200): void {
  assert.equal(response.status, status, response.head);
  assert.equal(response.text, body);
}
