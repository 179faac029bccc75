/**
 * The servers of the static conformance suite, each started when it is first
 * asked, and the one way to ask them: bytes on a socket.
 *
 * @module
 */

import assert from "node:assert/strict";
import "../../adapters/auto.ts";
import { askAtOnce, type RequestHead } from "../../src/at_once.ts";
import type { Connection, Handler } from "../../src/handler.ts";
import { serve, type Server } from "../../src/serve.ts";
import { staticFiles } from "../../src/static/mod.ts";
import type { StaticOptions } from "../../src/static/options.ts";
import { countingFiles } from "../_counting_files.ts";
import { connect, type RawResponse, toBytes } from "../_http.ts";
import { LAST_MODIFIED, siteFixture } from "./_site_fixture.ts";

/** Where a request goes: `staticFiles()` with these options, or any handler. */
export type Served = Partial<StaticOptions> | Handler;

/** Nothing is printed: what a case is about shows on the wire. */
const quiet = () => {};

const servers = new Map<string, Promise<Server>>();
const handlers = new Map<Handler, Promise<Server>>();

/** The server for these options. Equal options share one. */
export function serverOf(served: Served): Promise<Server> {
  if (typeof served === "function") {
    return remember(handlers, served, () => start(served));
  }
  const options = { root: siteFixture().site, log: quiet, ...served };
  return remember(
    servers,
    JSON.stringify(options),
    () => start(countingAtOnce(staticFiles({ fileSystem: SETTLED_FILES, ...options }))),
  );
}

/** Files that were made a moment ago and are kept in memory nevertheless. */
const SETTLED_FILES = countingFiles(10_000);

let atOnce = 0;

/** How many requests were answered from memory. */
export function answeredAtOnce(): number {
  return atOnce;
}

function countingAtOnce(handler: Handler): Handler {
  const handle: Handler = (request, connection) => handler(request, connection);
  return Object.assign(handle, {
    atOnce(head: RequestHead, connection: Connection) {
      const answer = askAtOnce(handler, head, connection);
      if (typeof answer === "object") atOnce++;
      return answer;
    },
  });
}

function remember<K>(
  started: Map<K, Promise<Server>>,
  key: K,
  start: () => Promise<Server>,
): Promise<Server> {
  const known = started.get(key);
  if (known !== undefined) return known;
  const server = start();
  started.set(key, server);
  return server;
}

function start(handler: Handler): Promise<Server> {
  return serve({ port: 0, handler, log: quiet });
}

/** Closes all of them. */
export async function closeServers(): Promise<void> {
  const all = [...servers.values(), ...handlers.values()];
  servers.clear();
  handlers.clear();
  await Promise.all(all.map(async (server) => (await server).close(0)));
}

/**
 * Sends a request and reads everything up to the end of the connection. The
 * head is completed with `Host` and `Connection: close`.
 *
 * @param request The first line without the protocol: `GET /hello.txt`.
 */
export async function ask(
  served: Served,
  request: string,
  ...headers: string[]
): Promise<RawResponse> {
  const lines = [`${request} HTTP/1.1`, "Host: localhost", ...headers];
  return await askRaw(
    served,
    toBytes([...lines, "Connection: close", "", ""].join("\r\n")),
    request.split(" ", 1)[0],
  );
}

/**
 * Sends these bytes, and reads one response up to the end of the connection. What may be answered from memory is asked
 * for twice, and has to be the same.
 */
export async function askRaw(
  served: Served,
  bytes: Uint8Array,
  method = "GET",
): Promise<RawResponse> {
  const { address } = await serverOf(served);
  const response = await askAddress(address, bytes, method);
  // What was just written has validators that change with the time.
  const isSettled = response.header("etag")?.endsWith('-new"') === false;
  if (typeof served === "function" || !isSettled || ![200, 304].includes(response.status)) return response;
  const again = await askAddress(address, bytes, method);
  assert.equal(sortedHead(again), sortedHead(response));
  assert.equal(again.text, response.text);
  return again;
}

/** The head without what differs from second to second, in an order of its own. */
function sortedHead({ head }: RawResponse): string {
  const lines = head.toLowerCase().split("\r\n").filter((line) => {
    const [, date] = /^(?:date|last-modified): (.*)/.exec(line) ?? [];
    return date === undefined || Date.now() - Date.parse(date) > 60_000;
  });
  return lines.sort().join("\n");
}

/** The same on any address. */
export async function askAddress(
  address: { readonly hostname: string; readonly port: number },
  bytes: Uint8Array,
  method = "GET",
): Promise<RawResponse> {
  const connection = await connect(address);
  try {
    await connection.send(bytes);
    const response = await connection.response({ method });
    await connection.ended();
    // A body after HEAD, 204 or 304, or one longer than it says, would be read
    // by the client as the next response.
    assert.equal(
      connection.take().length,
      0,
      "bytes after the end of the response",
    );
    assert.ok(response.complete, "the response is complete");
    return response;
  } finally {
    connection.close();
  }
}

/** The entity tag of a plain GET. */
export async function entityTag(
  served: Served = {},
  path = "/hello.txt",
): Promise<string> {
  const { status, header } = await ask(served, `GET ${path}`);
  assert.equal(status, 200);
  const tag = header("etag");
  assert.ok(tag !== null, "an entity tag");
  return tag;
}

/** What a header must be: this text, matched by this, absent, or anything. */
export type HeaderExpectation = string | RegExp | null | true;

/** Checks headers, in one message for all of them. */
export function expectHeaders(
  response: RawResponse,
  expected: Readonly<Record<string, HeaderExpectation>>,
): void {
  const wrong = Object.entries(expected).filter(([name, value]) => {
    const actual = response.header(name);
    if (value === null || actual === null) return value !== actual;
    if (value === true) return false;
    return typeof value === "string" ? value !== actual : !value.test(actual);
  });
  assert.deepEqual(
    wrong.map(([name]) => `${name}: ${response.header(name)}`),
    [],
    `expected ${wrong.map(([name, value]) => `${name}: ${value}`).join("; ")} in\n${response.head}`,
  );
}

/** Checks the status. */
export function expectStatus(response: RawResponse, status: number): void {
  assert.equal(response.status, status, response.head);
}

/** 200 with all ten bytes of `hello.txt`. */
export function expectWhole(response: RawResponse): void {
  expectStatus(response, 200);
  assert.equal(response.text, "0123456789");
  expectHeaders(response, {
    "content-length": "10",
    "content-range": null,
    "content-type": "text/plain; charset=utf-8",
    "last-modified": LAST_MODIFIED,
    "etag": /^"[^"]+"$/,
    "accept-ranges": "bytes",
    "date": / GMT$/,
  });
}

/** 206 with one span of `hello.txt`. */
export function expectPart(
  response: RawResponse,
  range: string,
  body: string,
): void {
  expectStatus(response, 206);
  assert.equal(response.text, body);
  expectHeaders(response, {
    "content-range": `bytes ${range}/10`,
    "content-length": String(body.length),
    "content-type": "text/plain; charset=utf-8",
  });
}

/** 416 that says how long the file is, without any of it. */
export function expectUnsatisfiable(response: RawResponse): void {
  expectStatus(response, 416);
  expectHeaders(response, { "content-range": "bytes */10" });
  assert.doesNotMatch(response.text, /0123456789/);
}

/** 304 as RFC 9110 section 15.4.5 wants it. */
export function expectNotModified(response: RawResponse): void {
  expectStatus(response, 304);
  expectHeaders(response, {
    "content-length": null,
    "content-type": null,
    "etag": true,
    "date": / GMT$/,
  });
  assert.equal(response.body.length, 0);
}

/** An error whose length is right and that holds nothing secret. */
export function expectError(response: RawResponse, status: number): void {
  expectStatus(response, status);
  expectHeaders(response, { "content-length": /^\d+$/ });
  if (response.framing === "length") {
    assert.equal(response.header("content-length"), `${response.body.length}`);
  }
  assert.doesNotMatch(response.text, /TOP SECRET|0123456789|at file:|\/src\//);
}

/** 301 to this path. */
export function expectRedirect(response: RawResponse, location: string): void {
  expectStatus(response, 301);
  expectHeaders(response, { "location": location });
  assert.ok(response.body.length < 512, "a short body");
}
