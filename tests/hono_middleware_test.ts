/**
 * The handlers behind Hono's own middleware, on every server, over a socket: what the middleware is for, it does, and
 * ranges, HEAD, streams and error pages stay what they are.
 */

import assert from "node:assert/strict";
import { chmodSync, existsSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Hono, type MiddlewareHandler } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { logger } from "hono/logger";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { timing } from "hono/timing";
import { cgi, staticFiles } from "../src/hono.ts";
import { serve, staticFiles as plainStaticFiles, toFetch } from "../mod.ts";
import { connect, exchange, get, requestHead } from "./_http.ts";
import { until } from "./_runtime.ts";
import { servers, type Start } from "./_servers.ts";
import { makeFolder, script } from "./cli/_folder.ts";

const TEXT = "All work and no play makes Jack a dull boy.\n".repeat(500);

const folder = makeFolder({
  "public/index.html": "HOME",
  "public/long.txt": TEXT,
  "public/sub/index.html": "SUB",
  "marks/": "",
  "cgi-bin/env": script("env"),
  "cgi-bin/admin/env": script("env"),
  "cgi-bin/cat": script("cat"),
  "cgi-bin/redirect": "#!/bin/sh\nprintf 'Location: /hello\\n\\n'\n",
  "cgi-bin/bad": "#!/bin/sh\necho this is no header\n",
  "cgi-bin/waits": script('echo one; while [ ! -e "../marks/$QUERY_STRING" ]; do sleep 0.01; done; echo two'),
  "cgi-bin/left": script(
    `trap 'touch "../marks/$QUERY_STRING"; exit' TERM; echo one; while :; do sleep 0.01; done`,
  ),
});
after(folder.remove);
// The tag of a file that was written a moment ago is a weak one.
utimesSync(join(folder.path, "public/long.txt"), 1_700_000_000, 1_700_000_000);
// Scripts may run as another user.
chmodSync(join(folder.path, "marks"), 0o777);

const SCRIPTS = { root: join(folder.path, "cgi-bin"), log() {} };
const FILES = { root: join(folder.path, "public"), log() {} };

/** Variables as `env` printed them. */
function variables(text: string): Record<string, string | undefined> {
  return Object.fromEntries(text.split("\n").map((line) => line.split(/=(.*)/s, 2)));
}

function authorization(user: string, password: string): string {
  return `Authorization: Basic ${btoa(`${user}:${password}`)}`;
}

const lines: string[] = [];

/** All of Hono's middleware that has to do with responses, over everything. */
function makeApp(): Hono {
  const app = new Hono();
  app.use(logger((line) => lines.push(line)), requestId(), timing(), secureHeaders());
  app.use(cors({ origin: "https://app.test", exposeHeaders: ["Content-Range"] }));
  app.use("/static/*", etag());
  app.use(compress());
  app.use("/cgi-bin/admin/*", basicAuth({ username: "ada", password: "1815" }));
  app.use("/cgi-bin/cat", bodyLimit({ maxSize: 1000 }));
  app.get("/hello", (c) => c.text("hello from hono"));
  // An existing app gains scripts and files in these two lines.
  app.use("/cgi-bin/*", cgi(SCRIPTS));
  app.use("/static/*", staticFiles(FILES));
  app.notFound((c) => c.text("hono's own 404", 404));
  return app;
}

const own: Start = async (fetch) => {
  const server = await serve({
    port: 0,
    log() {},
    handler: (request, connection) => fetch(request, connection),
  });
  return { address: server.address, url: server.url.replace(/\/$/, ""), stop: () => server.close(0) };
};

for (const [name, start] of Object.entries({ "serve()": own, ...servers })) {
  test(name, async (t) => {
    const server = await start(makeApp().fetch);
    const mark = name.replace(/\W/g, "-");
    const ask = (data: string) => exchange(server.address, data);

    await t.test("files have Hono's headers and their own", async () => {
      const { status, text, header } = await ask(get("/static/long.txt", "Origin: https://app.test"));
      assert.deepEqual([status, text], [200, TEXT]);
      assert.equal(header("access-control-allow-origin"), "https://app.test");
      assert.equal(header("x-frame-options"), "SAMEORIGIN");
      assert.match(header("x-request-id") ?? "", /^[\w-]{36}$/);
      assert.match(header("etag") ?? "", /^"/);
      assert.match(header("cache-control") ?? "", /no-cache/);
    });

    await t.test("compression leaves parts and conditions alone", async () => {
      const whole = await ask(get("/static/long.txt", "Accept-Encoding: gzip"));
      assert.equal(whole.header("content-encoding"), "gzip");
      assert.ok(whole.body.length < TEXT.length / 10);
      assert.match(whole.header("vary") ?? "", /accept-encoding/i);
      const part = await ask(get("/static/long.txt", "Accept-Encoding: gzip", "Range: bytes=44-47"));
      assert.deepEqual([part.status, part.text, part.header("content-encoding")], [
        206,
        TEXT.slice(44, 48),
        null,
      ]);
      assert.equal(part.header("content-range"), `bytes 44-47/${TEXT.length}`);
      const tag = part.header("etag") as string;
      assert.equal((await ask(get("/static/long.txt", `If-None-Match: ${tag}`))).status, 304);
      assert.equal((await ask(get("/static/long.txt", `If-Range: ${tag}`, "Range: bytes=0-3"))).status, 206);
      const over = await ask(get("/static/long.txt", "Range: bytes=99999-"));
      assert.deepEqual([over.status, over.header("content-range")], [416, `bytes */${TEXT.length}`]);
    });

    await t.test("HEAD has the headers of GET and no body", async () => {
      const head = await ask(requestHead("HEAD", "/static/long.txt"));
      assert.deepEqual([head.status, head.header("content-length"), head.raw.length], [
        200,
        String(TEXT.length),
        0,
      ]);
      assert.equal((await ask(requestHead("HEAD", "/cgi-bin/env"))).raw.length, 0);
      assert.equal((await ask(requestHead("HEAD", "/static/none"))).status, 404);
    });

    await t.test("error pages are those of whom the path belongs to", async () => {
      assert.equal((await ask(get("/static/none"))).text, "hono's own 404");
      const missing = await ask(get("/cgi-bin/none", "Accept: text/plain"));
      assert.deepEqual([missing.status, missing.text.split("\n", 1)[0]], [404, "404 Not Found"]);
      assert.equal(missing.header("content-length"), String(missing.body.length));
      assert.equal((await ask(get("/cgi-bin/bad"))).status, 502);
      assert.equal((await ask(requestHead("DELETE", "/static/long.txt"))).text, "hono's own 404");
      assert.equal((await ask(get("/static/sub"))).header("location"), "/static/sub/");
    });

    await t.test("scripts are told who asks, and under which name", async () => {
      const host = `Host: 127.0.0.1:${server.address.port}`;
      const env = variables((await ask(get("/cgi-bin/env/x", host, "X-Request-Id: abc-1"))).text);
      assert.equal(env["REMOTE_ADDR"], "127.0.0.1");
      assert.match(env["REMOTE_PORT"] ?? "", /^[1-9]\d*$/);
      assert.equal(env["SERVER_PORT"], String(server.address.port));
      assert.equal(env["X_REQUEST_ID"], "abc-1");
      assert.deepEqual([env["SCRIPT_NAME"], env["PATH_INFO"]], ["/cgi-bin/env", "/x"]);
      assert.equal(env["REMOTE_USER"], undefined);
    });

    await t.test("whom basicAuth lets pass is REMOTE_USER", async () => {
      assert.equal((await ask(get("/cgi-bin/admin/env"))).status, 401);
      assert.equal((await ask(get("/cgi-bin/admin/env", authorization("ada", "wrong")))).status, 401);
      const env = variables((await ask(get("/cgi-bin/admin/env", authorization("ada", "1815")))).text);
      assert.deepEqual([env["REMOTE_USER"], env["AUTH_TYPE"]], ["ada", "Basic"]);
      assert.equal(env["HTTP_AUTHORIZATION"], undefined);
      // The same header where nobody has looked at it is worth nothing.
      const other = variables((await ask(get("/cgi-bin/env", authorization("ada", "1815")))).text);
      assert.equal(other["REMOTE_USER"], undefined);
    });

    await t.test("bodies arrive, and limits hold", async () => {
      const init = { method: "POST", body: "x".repeat(1000) };
      assert.equal(await (await fetch(`${server.url}/cgi-bin/cat`, init)).text(), init.body);
      const large = await fetch(`${server.url}/cgi-bin/cat`, { ...init, body: "x".repeat(1001) });
      assert.equal(large.status, 413);
      await large.body?.cancel();
    });

    await t.test("a script's output arrives while it runs", async () => {
      const response = await fetch(`${server.url}/cgi-bin/waits?go-${mark}`, {
        headers: { "accept-encoding": "identity" },
      });
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      assert.equal(new TextDecoder().decode((await reader.read()).value), "one\n");
      writeFileSync(join(folder.path, "marks", `go-${mark}`), "");
      assert.equal(new TextDecoder().decode((await reader.read()).value), "two\n");
      assert.equal((await reader.read()).done, true);
    });

    await t.test("a script whose client leaves is ended", async () => {
      const connection = await connect(server.address);
      await connection.send(get(`/cgi-bin/left?left-${mark}`));
      assert.equal((await connection.head()).status, 200);
      connection.reset();
      await until(
        () => existsSync(join(folder.path, "marks", `left-${mark}`)),
        "the script has been told to end",
      );
    });

    await t.test("a local redirect leads to the application where the server can send it there, else the client does", async () => {
      const response = await fetch(`${server.url}/cgi-bin/redirect`);
      assert.equal(await response.text(), "hello from hono");
      assert.equal(response.redirected, name !== "serve()" && name !== "node:http");
    });

    await server.stop();
  });
}

test("the log has seen the requests", () => {
  assert.ok(lines.some((line) => line.startsWith("--> GET /static/long.txt")));
});

test("below basePath(), route() and mount()", async () => {
  const inner = new Hono();
  inner.use("/files/*", staticFiles(FILES));
  const app = new Hono().basePath("/api");
  app.route("/:version", inner);
  app.mount("/whole", toFetch(plainStaticFiles({ ...FILES, mount: "/api/whole" })), {
    replaceRequest: false,
  });
  app.mount("/inner", inner.fetch);
  const ask = async (path: string) => {
    const response = await app.request(path);
    return response.headers.get("location") ?? await response.text();
  };
  assert.equal(await ask("/api/v1/files/"), "HOME");
  assert.equal(await ask("/api/v1/files/sub"), "/api/v1/files/sub/");
  assert.equal(await ask("/api/whole/"), "HOME");
  assert.equal(await ask("/api/whole/sub"), "/api/whole/sub/");
  assert.equal(await ask("/api/inner/files/sub/"), "SUB");
  assert.equal(await ask("/api/inner/files/none"), "404 Not Found");
  assert.equal(await ask("/api/files/"), "404 Not Found");
});

test("a body that other middleware has read is read again", async () => {
  const app = new Hono();
  app.use(async (c, next) => {
    assert.equal(await c.req.text(), "hello");
    await next();
  });
  app.use("/cgi-bin/*", cgi(SCRIPTS));
  const response = await app.request("/cgi-bin/cat", {
    method: "POST",
    body: "hello",
    headers: { "content-length": "5" },
  });
  assert.equal(await response.text(), "hello");
});

/** What a script is told of a user whom this middleware has let pass, with a header that names another one. */
async function userBehind(middleware: MiddlewareHandler): Promise<readonly (string | undefined)[]> {
  const app = new Hono();
  app.use(middleware);
  app.use("/cgi-bin/*", cgi(SCRIPTS));
  const headers = { authorization: `Basic ${btoa("mallory:x")}` };
  const env = variables(await (await app.request("/cgi-bin/env", { headers })).text());
  return [env["REMOTE_USER"], env["AUTH_TYPE"]];
}

test("an application's own authentication says who it is with the variable `remoteUser`", async () => {
  assert.deepEqual(
    await userBehind(async (c, next) => {
      c.set("remoteUser", "grace");
      await next();
    }),
    ["grace", "Basic"],
  );
  assert.deepEqual(
    await userBehind(async (c, next) => {
      c.set("remoteUser", { name: "grace", scheme: "Bearer" });
      await next();
    }),
    ["grace", "Bearer"],
  );
});

test("a function that only has the name of Hono's basicAuth makes nobody a user", async () => {
  const names = await userBehind(async function basicAuth(_c, next) {
    await next();
  });
  assert.deepEqual(names, [undefined, undefined]);
});
