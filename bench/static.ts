/**
 * Files, beside every other server that is installed: `npm run bench:static`, `-- --help` for its flags.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ask, expectLength, expectStatus } from "./ask.ts";
import { htbin } from "./htbin.ts";
import type { Load } from "./load.ts";
import { runSuite } from "./run.ts";
import { STATIC_PEERS } from "./static_peers.ts";
import type { Case, Figure } from "./suite.ts";
import { DOCUMENTS, GIB, KIB, MIB } from "./work.ts";

const compare = (figure: Figure) => [{ figure, references: ["nginx"] }];
const base = { compare: compare("requests"), cores: 1, log: false } as const;
const small: Load = { path: "/1k.html", connections: 32, seconds: 1, bytes: KIB };
const middle: Load = { path: "/100k.js", connections: 32, seconds: 1, bytes: 100 * KIB };
const large: Load = { path: "/10m.bin", connections: 8, seconds: 1, bytes: 10 * MIB };
const huge: Load = { path: "/1g.bin", connections: 1, seconds: 60, requests: 2, bytes: GIB };

const CASES: readonly Case[] = [
  { ...base, name: "1k", about: "1 KiB of HTML, 32 connections", load: small, check: sendsFile },
  { ...base, name: "100k", about: "100 KiB of JavaScript, 32 connections", load: middle, check: sendsFile },
  {
    ...base,
    name: "304",
    about: "1 KiB that the client has, 32 connections",
    load: { ...small, status: 304, bytes: 0 },
    headers: validators,
    check: notModified,
  },
  {
    ...base,
    name: "HEAD",
    about: "the head of 1 KiB, 32 connections",
    load: { ...small, method: "HEAD" },
    check: sendsHead,
  },
  {
    ...base,
    name: "10m",
    about: "10 MiB, 8 connections",
    load: large,
    compare: compare("bytes"),
    memory: true,
    check: sendsFile,
  },
  {
    ...base,
    name: "1g",
    about: "1 GiB, twice, one after another",
    load: huge,
    compare: compare("bytes"),
    memory: true,
    check: beginsFile,
  },
  {
    ...base,
    name: "1k log",
    about: "1 KiB, 32 connections, with an access log to a file",
    load: small,
    log: true,
    check: sendsFile,
  },
  {
    ...base,
    name: "100k log",
    about: "100 KiB, 32 connections, with an access log to a file",
    load: middle,
    log: true,
    check: sendsFile,
  },
  {
    ...base,
    name: "1k c=1",
    about: "1 KiB, one connection: the time that an answer takes",
    load: { ...small, connections: 1 },
    compare: compare("p99"),
    check: sendsFile,
  },
  {
    ...base,
    name: "1k while 32 downloads",
    about: "1 KiB, one connection, while 32 others take 1 GiB each as fast as they can",
    load: { ...small, connections: 1, seconds: 2 },
    background: { path: "/1g.bin", connections: 32, seconds: 5, bytes: GIB },
    compare: compare("p99"),
    check: sendsFile,
  },
];

await runSuite("static", "Files", CASES, [
  ...STATIC_PEERS.slice(0, 1),
  ...htbin([], /^/),
  ...STATIC_PEERS.slice(1),
]);

async function sendsFile(url: string): Promise<void> {
  const response = await ask(url);
  expectStatus(response, 200);
  const body = new Uint8Array(await response.arrayBuffer());
  const file = readFileSync(join(DOCUMENTS, new URL(url).pathname));
  assert.ok(file.equals(body), "not the file's bytes");
}

/** That all of it comes, the load tool sees. */
async function beginsFile(url: string): Promise<void> {
  const response = await ask(url);
  await response.body?.cancel();
  expectStatus(response, 200);
}

async function sendsHead(url: string): Promise<void> {
  const response = await ask(url, { method: "HEAD" });
  expectStatus(response, 200);
  expectLength(response, KIB);
}

async function validators(url: string): Promise<readonly string[]> {
  const response = await ask(url);
  await response.body?.cancel();
  const tag = response.headers.get("etag");
  const date = response.headers.get("last-modified");
  if (tag !== null) return [`If-None-Match: ${tag}`];
  return date === null ? [] : [`If-Modified-Since: ${date}`];
}

async function notModified(url: string, headers: readonly string[]): Promise<void> {
  const response = await ask(url, {
    headers: headers.map((field) => field.split(/: (.*)/).slice(0, 2) as [string, string]),
  });
  await response.body?.cancel();
  expectStatus(response, 304);
}
