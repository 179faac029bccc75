/**
 * Scripts, beside every other server that runs them: `npm run bench:cgi`, `-- --help` for its flags.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ask, expectStatus, expectText } from "./ask.ts";
import { CGI_PEERS } from "./cgi_peers.ts";
import type { Cores } from "./contender.ts";
import { htbin } from "./htbin.ts";
import type { Load } from "./load.ts";
import { runSuite } from "./run.ts";
import type { Case } from "./suite.ts";
import { KIB, MIB } from "./work.ts";

const LIGHTTPD = "lighttpd mod_cgi";
const STREAMING = "lighttpd mod_cgi, streaming";
const GO = "Go net/http/cgi";

const base = { cores: 1, log: false } as const;

/** A script by its name, and what it is. */
const HELLOS = {
  "hello": "a static C program",
  "hello.sh": "/bin/sh",
  "hello.pl": "Perl without modules",
  "hello.py": "Python without modules",
};

function hello(script: keyof typeof HELLOS, connections: number, cores: Cores): Case {
  const many = connections === 1 ? "one connection" : `${connections} connections`;
  const where = cores === 1 ? "one core" : "two cores";
  return {
    name: `${script} c=${connections}${cores === 1 ? "" : " two cores"}`,
    about: `${HELLOS[script]}, ${many}, ${where}`,
    load: { path: `/cgi-bin/${script}`, connections, seconds: 1, bytes: 5 },
    compare: [
      { figure: "requests", references: [LIGHTTPD, GO] },
      ...connections === 1 ? [{ figure: "p99", references: [LIGHTTPD] } as const] : [],
    ],
    cores,
    log: false,
    check: saysHello,
  };
}

function meanwhile(cores: Cores): Case {
  const small: Load = { path: "/1k.html", connections: 1, seconds: 2, bytes: KIB };
  return {
    name: `1k while 32 scripts${cores === 1 ? "" : " two cores"}`,
    about: `1 KiB from disk, one connection, while 32 others ask for the C program, ${
      cores === 1 ? "one core" : "two cores"
    }`,
    load: small,
    background: { path: "/cgi-bin/hello", connections: 32, seconds: 4, bytes: 5 },
    compare: [{ figure: "p99", references: [LIGHTTPD] }],
    cores,
    log: false,
    check: sendsKibibyte,
  };
}

/** A file beside scripts whose output never ends, as far as their clients can tell: each takes it as fast as it comes. */
function besideOutputs(scripts: number): Case {
  return {
    ...base,
    name: `1k while ${scripts} ${scripts === 1 ? "prints" : "print"} 100m`,
    about: `1 KiB from disk, one connection, while ${scripts} ${
      scripts === 1 ? "other asks" : "others ask"
    } for 100 MiB from a C program, over and over`,
    load: { path: "/1k.html", connections: 1, seconds: 2, bytes: KIB },
    background: { path: "/cgi-bin/blast", connections: scripts, seconds: 4, bytes: 100 * MIB },
    compare: [{ figure: "p99", references: [STREAMING] }],
    check: sendsKibibyte,
  };
}

const SCRIPTS = ["hello", "hello.sh", "hello.pl", "hello.py"] as const;

const CASES: readonly Case[] = [
  ...([1, 2] as const).flatMap((cores) =>
    SCRIPTS.flatMap((script) => [1, 8, 32].map((connections) => hello(script, connections, cores)))
  ),
  {
    ...base,
    name: "post10m",
    about: "10 MiB posted to a C program that counts them, one after another",
    load: { path: "/cgi-bin/count", connections: 1, seconds: 1, post: 10 * MIB, bytes: 8 },
    compare: [{ figure: "bytes", references: [LIGHTTPD] }],
    memory: true,
    check: countsBytes,
  },
  {
    ...base,
    name: "blast100m",
    about: "100 MiB from a C program, one after another",
    load: { path: "/cgi-bin/blast", connections: 1, seconds: 1, bytes: 100 * MIB },
    compare: [{ figure: "bytes", references: [STREAMING] }],
    memory: true,
    check: sendsMuch,
  },
  meanwhile(1),
  meanwhile(2),
  besideOutputs(1),
  besideOutputs(8),
];

await runSuite("cgi", "Scripts", CASES, [
  ...CGI_PEERS.slice(0, 3),
  ...htbin(["--cgi"], /^/),
  ...CGI_PEERS.slice(3),
]);

async function saysHello(url: string): Promise<void> {
  const response = await ask(url);
  expectStatus(response, 200);
  expectText(await response.text(), "hello");
}

async function countsBytes(url: string): Promise<void> {
  const response = await ask(url, { method: "POST", body: new Uint8Array(10 * MIB) });
  expectStatus(response, 200);
  expectText(await response.text(), String(10 * MIB));
}

async function sendsMuch(url: string): Promise<void> {
  const response = await ask(url);
  expectStatus(response, 200);
  let length = 0;
  for await (const piece of response.body!) length += piece.length;
  assert.equal(length, 100 * MIB, `${length} bytes`);
}

async function sendsKibibyte(url: string): Promise<void> {
  const response = await ask(url);
  expectStatus(response, 200);
  const { length } = await response.text();
  assert.equal(length, KIB, `${length} bytes`);
}
