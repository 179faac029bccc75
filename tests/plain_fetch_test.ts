/**
 * The handlers on other people's servers: what they answer arrives, whatever server it is.
 */

import assert from "node:assert/strict";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { LogEvent } from "../src/log/events.ts";
import { site, type SiteHandler, toFetch } from "../mod.ts";
import { connect, exchange, get, type RawResponse, requestHead } from "./_http.ts";
import { runtime, until } from "./_runtime.ts";
import { type Running, servers } from "./_servers.ts";
import { makeFolder, script } from "./cli/_folder.ts";

const BIG = 2_000_000;

const folder = makeFolder({
  "style.css": "STYLE",
  "big.bin": "0123456789".repeat(BIG / 10),
  "sub/index.html": "SUB",
  "marks/": "",
  "cgi-bin/env": script("env"),
  "cgi-bin/cat": script("cat"),
  "cgi-bin/dies": script(
    'echo begun; while [ ! -e "$DOCUMENT_ROOT/marks/$QUERY_STRING" ]; do sleep 0.01; done; kill -9 $$',
  ),
  "cgi-bin/waits": script(
    'echo one; while [ ! -e "$DOCUMENT_ROOT/marks/$QUERY_STRING" ]; do sleep 0.01; done; echo two',
  ),
  "cgi-bin/left": script(
    "trap 'touch \"$DOCUMENT_ROOT/marks/$QUERY_STRING\"; exit' TERM\necho one\nwhile :; do sleep 0.01; done",
  ),
});
after(folder.remove);
// Scripts may run as another user.
chmodSync(join(folder.path, "marks"), 0o777);

/** Whether the server sends every body that is a stream in chunks, with its length lost. */
function dropsLengths(name: string): boolean {
  return name.includes("Bun.serve") || runtime.name === "bun" && name === "srvx";
}

for (const [name, start] of Object.entries(servers)) {
  test(name, async (t) => {
    const events: LogEvent[] = [];
    const handler: SiteHandler = site({
      directory: folder.path,
      cgi: true,
      log: (event) => events.push(event),
    });
    const server: Running = await start(toFetch(handler, { log: (event) => events.push(event) }));
    const mark = name.replace(/\W/g, "-");
    const ask = (data: string): Promise<RawResponse> => exchange(server.address, data);

    await t.test("a file, whole and in parts", async () => {
      const small = await ask(get("/style.css"));
      assert.equal(small.header("content-length"), "5");
      assert.equal(small.text, "STYLE");
      const big = await ask(get("/big.bin"));
      assert.equal(big.body.length, BIG);
      assert.equal(big.header("content-length"), dropsLengths(name) ? null : String(BIG));
      const part = await ask(get("/big.bin", "Range: bytes=12-15"));
      assert.deepEqual([part.status, part.header("content-range"), part.text], [
        206,
        `bytes 12-15/${BIG}`,
        "2345",
      ]);
      const rest = await ask(get("/big.bin", "Range: bytes=10-"));
      assert.deepEqual([rest.status, rest.body.length], [206, BIG - 10]);
      const parts = await ask(get("/big.bin", "Range: bytes=0-1,5-6"));
      assert.match(parts.header("content-type") ?? "", /^multipart\/byteranges/);
      assert.equal((await ask(get("/big.bin", `Range: bytes=${BIG}-`))).status, 416);
    });

    await t.test("HEAD, conditions, redirects, error pages", async () => {
      const head = await ask(requestHead("HEAD", "/big.bin"));
      assert.deepEqual([head.status, head.header("content-length"), head.raw.length], [200, String(BIG), 0]);
      const etag = head.header("etag") as string;
      assert.equal((await ask(get("/big.bin", `If-None-Match: ${etag}`))).status, 304);
      assert.equal((await ask(get("/sub?q"))).header("location"), "/sub/?q");
      const missing = await ask(get("/nowhere", "Accept: application/json"));
      assert.equal(missing.status, 404);
      assert.equal(JSON.parse(missing.text).error.code, 404);
      assert.equal(missing.header("content-length"), String(missing.body.length));
      const nothing = await ask(requestHead("HEAD", "/nowhere"));
      assert.deepEqual([nothing.status, nothing.raw.length], [404, 0]);
      assert.match((await ask(requestHead("DELETE", "/style.css"))).header("allow") ?? "", /GET/);
    });

    await t.test("the path that a handler sees is the one that was asked for", async () => {
      assert.equal((await ask(get("/sub/../style.css"))).text, "STYLE");
      assert.equal((await ask(get("/sub%2Findex.html"))).status, 404);
      assert.equal((await ask(get("/sub%5Cindex.html"))).status, 404);
      assert.equal((await ask(get("//style.css"))).header("location"), "/style.css");
      assert.equal((await ask(get("/cgi-bin/../cgi-bin/cat"))).status, 200);
      assert.equal((await ask(get("/cgi-bin%2Fcat"))).status, 404);
      assert.equal((await ask(get("/style.css", "Host: x/y"))).status, 400);
    });

    await t.test("scripts are told who asks", async () => {
      const host = `Host: 127.0.0.1:${server.address.port}`;
      const env = (await ask(get("/cgi-bin/env/more?a=b", host))).text.split("\n");
      for (
        const variable of [
          "REMOTE_ADDR=127.0.0.1",
          "SERVER_NAME=127.0.0.1",
          `SERVER_PORT=${server.address.port}`,
          "SERVER_PROTOCOL=HTTP/1.1",
          "SCRIPT_NAME=/cgi-bin/env",
          "PATH_INFO=/more",
          "QUERY_STRING=a=b",
        ]
      ) assert.ok(env.includes(variable), variable);
      assert.ok(env.some((line) => /^REMOTE_PORT=[1-9]/.test(line)));
    });

    await t.test("scripts get bodies, with a length and without", async () => {
      const body = "x".repeat(200_000);
      const init = { method: "POST", body };
      assert.equal(await (await fetch(`${server.url}/cgi-bin/cat`, init)).text(), body);
      const chunked = requestHead("POST", "/cgi-bin/cat", "Transfer-Encoding: chunked");
      assert.equal((await ask(`${chunked}5\r\nhello\r\n0\r\n\r\n`)).text, "hello");
    });

    await t.test("what a script writes arrives while it runs", async () => {
      const response = await fetch(`${server.url}/cgi-bin/waits?go-${mark}`);
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      const { value } = await reader.read();
      assert.equal(new TextDecoder().decode(value), "one\n");
      writeFileSync(join(folder.path, "marks", `go-${mark}`), "");
      assert.equal(new TextDecoder().decode((await reader.read()).value), "two\n");
      assert.equal((await reader.read()).done, true);
    });

    await t.test("a script that dies does not look as if it had ended", async () => {
      const connection = await connect(server.address);
      await connection.send(get(`/cgi-bin/dies?die-${mark}`));
      assert.equal((await connection.head()).status, 200);
      writeFileSync(join(folder.path, "marks", `die-${mark}`), "");
      await connection.ended();
      assert.doesNotMatch(new TextDecoder().decode(connection.take()), /\r\n0\r\n\r\n$/);
      assert.ok(events.some((event) => event.type === "message" && event.message.includes("SIGKILL")));
    });

    await t.test("a script whose client leaves is ended", async () => {
      const connection = await connect(server.address);
      await connection.send(get(`/cgi-bin/left?left-${mark}`));
      assert.match(new TextDecoder().decode(await connection.received(50)), /^HTTP\/1.1 200/);
      connection.reset();
      await until(
        () => existsSync(join(folder.path, "marks", `left-${mark}`)),
        "the script has been told to end",
      );
    });

    await t.test("requests are logged", async () => {
      const isLogged = (line: string) =>
        events.some((event) => event.type === "access" && `${event.status} ${event.target}` === line);
      // Where the server tells, at the end of the response and not before.
      await until(() => isLogged("200 /style.css"), "a file is logged");
      await until(() => isLogged("404 /nowhere"), "a missing file is logged");
    });

    await server.stop();
    await handler.close();
  });
}
