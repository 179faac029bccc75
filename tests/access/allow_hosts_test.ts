/** Which names a server answers to. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { allowHosts } from "../../src/access/allow_hosts.ts";
import type { LogEvent } from "../../src/log/events.ts";
import { serve } from "../../src/serve.ts";
import { connect } from "../_http.ts";
import "../_runtime.ts";

/** What a server that answers to these names says to each of the others. */
async function statuses(hosts: readonly string[], asked: readonly string[]): Promise<[number[], string[]]> {
  const told: string[] = [];
  const log = (event: LogEvent) => {
    if (event.type === "message") told.push(event.message);
  };
  const handler = allowHosts({ hosts, log }, () => new Response("yes"));
  const server = await serve({ port: 0, handler, log });
  try {
    const seen: number[] = [];
    for (const host of asked) {
      const connection = await connect({ ...server.address });
      await connection.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      seen.push((await connection.response()).status);
      connection.close();
    }
    return [seen, told];
  } finally {
    await server.close();
  }
}

test("this machine's names, and addresses, are always answered to", async () => {
  const own = ["localhost", "LOCALHOST:80", "localhost.", "app.localhost:8000"];
  const addresses = ["127.0.0.1", "127.0.0.1:99", "192.0.2.1", "[::1]:8000", "[2001:db8::1]"];
  const [seen, told] = await statuses([], [...own, ...addresses]);
  assert.deepEqual(seen, [...own, ...addresses].map(() => 200));
  assert.deepEqual(told, []);
});

test("other names are answered 421, and each is told of once", async () => {
  const asked = [
    "evil.test",
    "evil.test:8000",
    "localhost.evil.test",
    "xlocalhost",
    "127.0.0.1.evil.test",
    "evil.test",
  ];
  const [seen, told] = await statuses([], asked);
  assert.deepEqual(seen, asked.map(() => 421));
  assert.equal(told.length, 4);
  assert.equal(
    told[0],
    "refused a request for the host evil.test, which is not among the allowed ones; " +
      "if it is this server's name: --allow-host evil.test",
  );
});

test("a name, a name with all below it, and any name", async () => {
  const asked = [
    "wiki.test",
    "Wiki.Test.:80",
    "a.wiki.test",
    "wiki.test.evil",
    "other.test",
    "x.other.test",
    "xother.test",
  ];
  assert.deepEqual((await statuses(["Wiki.test", ".other.test"], asked))[0], [
    200,
    200,
    421,
    421,
    200,
    200,
    421,
  ]);
  assert.deepEqual((await statuses(["*"], asked))[0], asked.map(() => 200));
});

test("a refused name cannot fill the log", async () => {
  const told: LogEvent[] = [];
  const handler = allowHosts({ hosts: [], log: (event) => told.push(event) }, () => undefined);
  for (let at = 0; at < 1000; at++) {
    const request = { headers: new Headers({ host: `${at}.test` }), method: "GET" } as unknown as Request;
    assert.equal((await handler(request))?.status, 421);
  }
  assert.equal(told.length, 100);
});

test("HTTP/1.0 without a Host is no browser's", async () => {
  const server = await serve({
    port: 0,
    handler: allowHosts({ hosts: [] }, () => new Response("yes")),
    log: () => {},
  });
  const connection = await connect({ ...server.address });
  await connection.send("GET / HTTP/1.0\r\n\r\n");
  assert.equal((await connection.response()).status, 200);
  connection.close();
  await server.close();
});

test("what is no name is refused at once", () => {
  for (const host of ["", ".", "a b", "http://a.test", "a.test:80", "*.a.test"]) {
    assert.throws(() => allowHosts({ hosts: [host] }, () => undefined), TypeError, host);
  }
});
