/**
 * Every invocation that the documentation of Python's `http.server` shows, from 3.4 to 3.15, with `htbin` in place of
 * `python -m http.server`: as a process, seen on the wire. What differs is in `docs/from-http-server.md`.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type RunningCommand, startCommand } from "../_command.ts";
import { connect, exchange, get, requestHead } from "../_http.ts";
import { makeCertificate } from "../contract/_certificate.ts";
import { makeFolder, script } from "./_folder.ts";

const here = makeFolder({
  "page.txt": "HERE",
  "data.xyzzy": "?",
  "cgi-bin/hello.py": script('echo "ran $QUERY_STRING"; cat'),
  "htbin/hello.py": script("echo also"),
});
const tmp = makeFolder({ "page.txt": "THERE" });
after(() => [here, tmp].forEach((folder) => folder.remove()));
const certificate = makeCertificate();
if (certificate !== null) {
  const { cert, key, encryptedKey, passphrase } = certificate;
  const files = { "fullchain.pem": cert, "privkey.pem": key, "cert.pem": cert, "key.pem": encryptedKey };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(here.path, name), text);
  writeFileSync(join(here.path, "password.txt"), `${passphrase}\n`);
  // Python takes the key from the file of the certificate when it is not named.
  writeFileSync(join(here.path, "both.pem"), cert + key);
}
after(() => certificate?.remove());
const needsOpenssl = certificate === null && "openssl is not installed";
const has6 = Object.values(networkInterfaces()).flat().some((address) => address?.address === "::1");

type Check = (server: RunningCommand, port: number | null) => Promise<void>;

interface Invocation {
  /** The version whose documentation shows it first. */
  readonly since: string;
  /** What follows `python -m http.server`; 8000 and 9000 are ports that are free here. */
  readonly args: string;
  readonly check: Check;
  readonly skip?: string | false;
}

/** The page is there, listed, and nothing else answers than was asked for. */
const servesHere: Check = async (server, port) => {
  if (port !== null) assert.equal(server.address.port, port);
  assert.equal((await exchange(server.address, get("/page.txt"))).text, "HERE");
  assert.match((await exchange(server.address, get("/"))).text, /Directory listing for \//);
  assert.match(server.banner, /^Serving HTTP on \S+ port \d+ \(http:\/\/\S+\/\) \.\.\.$/);
  await server.logged(/^\S+ - - \[\d\d\/\w{3}\/\d{4} \d\d:\d\d:\d\d\] "GET \/page\.txt HTTP\/1\.1" 200 4$/m);
};

const onEvery: Check = async (server, port) => {
  await servesHere(server, port);
  assert.match(server.banner, /Serving HTTP on (0\.0\.0\.0|::) port/);
};

const runsScripts: Check = async (server, port) => {
  await servesHere(server, port);
  assert.equal((await exchange(server.address, get("/cgi-bin/hello.py?a=b"))).text, "ran a=b\n");
  assert.equal((await exchange(server.address, get("/htbin/hello.py"))).text, "also\n");
  const post = requestHead("POST", "/cgi-bin/hello.py", "Content-Length: 4") + "body";
  assert.equal((await exchange(server.address, post)).text, "ran \nbody");
  const other = await exchange(server.address, requestHead("POST", "/page.txt", "Content-Length: 0"));
  assert.equal(other.status, 501);
  assert.match(other.text, /Can only POST to CGI scripts/);
};

const servesThere: Check = async (server) => {
  assert.equal((await exchange(server.address, get("/page.txt"))).text, "THERE");
};

function keeps(alive: boolean): Check {
  return async (server) => {
    const connection = await connect(server.address);
    await connection.send(get("/page.txt"));
    assert.equal((await connection.response()).text, "HERE");
    if (alive) {
      await connection.send(get("/page.txt"));
      assert.equal((await connection.response()).text, "HERE");
    } else assert.equal(await connection.ended(), "fin");
    connection.close();
  };
}

const overTls: Check = async (server) => {
  assert.match(
    server.banner,
    /^Serving HTTPS on 127\.0\.0\.1 port \d+ \(https:\/\/127\.0\.0\.1:\d+\/\) \.\.\.$/,
  );
  assert.deepEqual(await secureGet(`${server.url}page.txt`), [200, "HERE"]);
};

function secureGet(url: string): Promise<[number | undefined, string]> {
  return new Promise((resolve, reject) => {
    const ask = url.startsWith("https:") ? httpsRequest : httpRequest;
    ask(url, { rejectUnauthorized: false, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (piece) => body += piece);
      response.on("end", () => resolve([response.statusCode, body]));
    }).on("error", reject).end();
  });
}

function sends(name: string, value: string, path = "/page.txt"): Check {
  return async (server) => assert.equal((await exchange(server.address, get(path))).header(name), value);
}

const INVOCATIONS: readonly Invocation[] = [
  { since: "3.0", args: "", check: servesHere },
  { since: "3.0", args: "8000", check: servesHere },
  { since: "3.12", args: "9000", check: servesHere },
  { since: "3.4", args: "8000 --bind 127.0.0.1", check: servesHere },
  { since: "3.12", args: "--bind 127.0.0.1", check: servesHere },
  { since: "3.4", args: "-b 127.0.0.1 8000", check: servesHere },
  { since: "3.4", args: "--bind 0.0.0.0 8000", check: onEvery },
  { since: "3.8", args: "--bind ::1 8000", check: servesHere, skip: !has6 && "this machine has no ::1" },
  { since: "3.8", args: "--bind :: 8000", check: onEvery, skip: !has6 && "this machine has no ::1" },
  { since: "3.7", args: "--directory /tmp/", check: servesThere },
  { since: "3.7", args: "-d /tmp/ 8000", check: servesThere },
  { since: "3.11", args: "--protocol HTTP/1.1", check: keeps(true) },
  { since: "3.11", args: "-p HTTP/1.1", check: keeps(true) },
  { since: "3.11", args: "-p HTTP/1.0 8000", check: keeps(false) },
  { since: "3.0", args: "--cgi 8000", check: runsScripts },
  { since: "3.12", args: "--cgi", check: runsScripts },
  { since: "3.0", args: "--cgi --bind 127.0.0.1 8000", check: runsScripts },
  {
    since: "3.14",
    args: "--tls-cert fullchain.pem --tls-key privkey.pem",
    check: overTls,
    skip: needsOpenssl,
  },
  { since: "3.14", args: "--tls-cert both.pem", check: overTls, skip: needsOpenssl },
  {
    since: "3.14",
    args: "--tls-cert cert.pem --tls-key key.pem --tls-password-file password.txt",
    check: overTls,
    skip: needsOpenssl,
  },
  {
    since: "3.15",
    args: "--content-type text/html",
    check: sends("content-type", "text/html; charset=utf-8", "/data.xyzzy"),
  },
  { since: "3.15", args: "--header Cache-Control no-store", check: sends("cache-control", "no-store") },
  { since: "3.15", args: "-H X-One 1 -H X-Two a,b 8000", check: sends("x-two", "a,b") },
  {
    since: "3.15",
    args: "-d /tmp/ -b 127.0.0.1 -p HTTP/1.1 -H X-One 1 --content-type text/plain 8000",
    check: async (server) => {
      await servesThere(server, null);
      await sends("x-one", "1")(server, null);
    },
  },
];

describe("in place of python -m http.server", () => {
  for (const { since, args, check, skip = false } of INVOCATIONS) {
    it(`${since}: htbin ${args}`, { skip }, async () => {
      const words = args.split(" ").filter((word) => word !== "");
      const port = words.some((word) => /^[89]000$/.test(word)) ? await freePort() : null;
      const given = words.map((word) =>
        /^[89]000$/.test(word) ? String(port) : word === "/tmp/" ? `${tmp.path}/` : word
      );
      const server = await startCommand(given, { cwd: here.path });
      try {
        await check(server, port);
      } finally {
        server.signal("SIGINT");
        server.signal("SIGINT");
        assert.equal((await server.stop()).code, 0);
      }
    });
  }

  it("what differs is said, flag by flag", () => {
    const page = readFileSync("docs/from-http-server.md", "utf8");
    const [, section = ""] = /^## The command\n([^]*?)^## /m.exec(page) ?? [];
    const flags = new Set(INVOCATIONS.flatMap(({ args }) => args.match(/--[a-z-]+/g) ?? []));
    for (const flag of flags) assert.ok(section.includes(`\`${flag}`), flag);
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
