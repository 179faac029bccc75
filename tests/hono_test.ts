/**
 * The middlewares in a real Hono app, on the running runtime.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { Hono } from "hono";
import { cgi, type CgiOptions, staticFiles } from "../src/hono.ts";
import { serve } from "../src/serve.ts";
import { makeFolder, script } from "./cli/_folder.ts";
import { exchange, get } from "./_http.ts";
import { runtime } from "./_runtime.ts";

const folder = makeFolder({
  "public/index.html": "HOME",
  "public/style.css": "STYLE",
  "public/sub/index.html": "SUB",
  "cgi-bin/env": script("env"),
  "cgi-bin/echo": script("cat"),
});
after(folder.remove);

const PUBLIC = join(folder.path, "public");
const SCRIPTS: CgiOptions = { root: join(folder.path, "cgi-bin"), log: () => {} };

/** The app of the documentation. */
function makeApp(): Hono {
  const app = new Hono();
  app.get("/hello", (c) => c.text("hello from hono"));
  app.use("/cgi-bin/*", cgi(SCRIPTS));
  app.use("*", staticFiles({ root: PUBLIC }));
  app.post("/style.css", (c) => c.text("posted"));
  app.notFound((c) => c.text("hono's own 404", 404));
  return app;
}

/** Variables as `env` printed them. */
function variables(text: string): Record<string, string | undefined> {
  return Object.fromEntries(text.split("\n").map((line) => line.split(/=(.*)/s, 2)));
}

test("apps with types of their own take the middlewares", async () => {
  interface Environment {
    readonly Bindings: { readonly incoming: { readonly url: string } };
    readonly Variables: { readonly requestId: number; readonly session: { readonly user: string } };
  }
  const app = new Hono<Environment>();
  app.use("/cgi-bin/*", cgi(SCRIPTS));
  app.get("/style.css", staticFiles({ root: PUBLIC }), (c) => c.text(c.var.session.user));
  app.on(["GET", "POST"], "/public/*", staticFiles({ root: PUBLIC }));
  assert.equal(await (await app.request("/public/style.css")).text(), "STYLE");
});

test("routes, scripts and files live side by side", async () => {
  const app = makeApp();
  assert.equal(await (await app.request("/hello")).text(), "hello from hono");
  assert.equal(await (await app.request("/")).text(), "HOME");
  assert.equal(await (await app.request("/style.css")).text(), "STYLE");
  assert.equal(await (await app.request("/sub/")).text(), "SUB");
  assert.equal((await app.request("/sub?x")).headers.get("location"), "/sub/?x");
  const env = variables(await (await app.request("/cgi-bin/env/more?a=b")).text());
  assert.equal(env["SCRIPT_NAME"], "/cgi-bin/env");
  assert.equal(env["PATH_INFO"], "/more");
  assert.equal(env["QUERY_STRING"], "a=b");
});

test("what nothing here answers goes on", async () => {
  const app = makeApp();
  for (const path of ["/missing", "/style.css/x", "/.env", "//style.css", "/sub%2Findex.html"]) {
    const response = await app.request(`http://localhost${path}`);
    assert.equal(await response.text(), "hono's own 404", path);
  }
  assert.equal(await (await app.request("/style.css", { method: "POST" })).text(), "posted");
});

test("a missing script is not passed on: what is below the scripts is theirs", async () => {
  const response = await makeApp().request("/cgi-bin/missing");
  assert.equal(response.status, 404);
  assert.notEqual(await response.text(), "hono's own 404");
});

test("HEAD", async () => {
  const response = await makeApp().request("/style.css", { method: "HEAD" });
  assert.equal(response.headers.get("content-length"), "5");
  assert.equal(await response.text(), "");
});

test("the mount is the part of the path that the route consumed", async () => {
  const app = new Hono().basePath("/api");
  app.use("/:version/scripts/*", cgi(SCRIPTS));
  const sub = new Hono();
  sub.use("/files/*", staticFiles({ root: PUBLIC }));
  app.route("/sub", sub);
  const env = variables(await (await app.request("/api/v%201/scripts/env/x")).text());
  assert.equal(env["SCRIPT_NAME"], "/api/v 1/scripts/env");
  assert.equal(env["PATH_INFO"], "/x");
  assert.equal(await (await app.request("/api/sub/files/style.css")).text(), "STYLE");
  assert.equal((await app.request("/api/sub/files/sub")).headers.get("location"), "/api/sub/files/sub/");
  assert.equal((await app.request("/api/sub/style.css")).status, 404);
});

test("a route without a star mounts at the top", async () => {
  const app = new Hono();
  app.get("/style.css", staticFiles({ root: PUBLIC }));
  assert.equal(await (await app.request("/style.css")).text(), "STYLE");
});

test("the option `mount` wins", async () => {
  const app = new Hono();
  app.use("*", staticFiles({ root: PUBLIC, mount: "/assets" }));
  assert.equal(await (await app.request("/assets/style.css")).text(), "STYLE");
  assert.equal((await app.request("/style.css")).status, 404);
});

test("a route whose length is not known asks for the option", async () => {
  const app = new Hono();
  app.use("/:path{.+}/*", staticFiles({ root: PUBLIC }));
  let message = "";
  app.onError((error, c) => {
    message = error.message;
    return c.text("failed", 500);
  });
  assert.equal((await app.request("/a/b/style.css")).status, 500);
  assert.match(message, /give the option `mount`/);
});

test("close() ends what runs", async () => {
  const scripts = cgi(SCRIPTS);
  const app = new Hono();
  app.use("/cgi-bin/*", scripts);
  await scripts.close();
  assert.equal((await app.request("/cgi-bin/env")).status, 503);
});

test("a path that Hono and this library read differently is not ours", async () => {
  const app = new Hono();
  app.use("/cgi-bin/*", cgi(SCRIPTS));
  app.use("*", staticFiles({ root: folder.path }));
  app.notFound((c) => c.text("nothing", 404));
  const server = await serve({ port: 0, handler: (request) => app.fetch(request), log: () => {} });
  for (
    const target of [
      "/cgi-bin/../public/style.css",
      "/cgi-bin/%2e%2e/public/style.css",
      "/cgi-bin%2fenv",
      "//cgi-bin/env",
    ]
  ) {
    const { status, text } = await exchange(server.address, get(target, "Connection: close"));
    // Where the runtime has resolved the dots before Hono sees them, it is the file.
    assert.ok(text === "STYLE" || text === "nothing" || status === 301, `${target}: ${status} ${text}`);
  }
  await server.close(0);
});

test("scripts are told of the connection by serve()", async () => {
  const app = makeApp();
  const server = await serve({
    port: 0,
    handler: (request, connection) => app.fetch(request, connection),
    log: () => {},
  });
  const env = variables(await (await fetch(`${server.url}cgi-bin/env`)).text());
  assert.equal(env["REMOTE_ADDR"], "127.0.0.1");
  assert.match(env["REMOTE_PORT"] ?? "", /^\d+$/);
  assert.equal(env["SERVER_PORT"], String(server.address.port));
  const echoed = await fetch(`${server.url}cgi-bin/echo`, { method: "POST", body: "x".repeat(100_000) });
  assert.equal((await echoed.text()).length, 100_000);
  await server.close(0);
});

/** What each server hands to `app.fetch` as its second argument. */
const BINDINGS: readonly (readonly [server: string, bindings: object])[] = [
  ["@hono/node-server", {
    incoming: {
      httpVersion: "1.0",
      socket: {
        remoteAddress: "192.0.2.1",
        remotePort: 77,
        localAddress: "192.0.2.9",
        localPort: 4711,
        encrypted: true,
      },
    },
    outgoing: {},
  }],
  ["Deno.serve", {
    remoteAddr: { transport: "tcp", hostname: "192.0.2.1", port: 77 },
    completed: Promise.resolve(),
  }],
  ["Bun.serve", {
    hostname: "192.0.2.9",
    port: 4711,
    requestIP: () => ({ address: "192.0.2.1", port: 77, family: "IPv4" }),
  }],
  ["Bun.serve with { server }", {
    server: { port: 4711, requestIP: () => ({ address: "192.0.2.1", port: 77 }) },
  }],
];

for (const [server, bindings] of BINDINGS) {
  test(`scripts are told of the connection by ${server}`, async () => {
    const env = variables(await (await makeApp().request("/cgi-bin/env", {}, bindings)).text());
    assert.equal(env["REMOTE_ADDR"], "192.0.2.1");
    assert.equal(env["REMOTE_PORT"], "77");
    if (server === "@hono/node-server") {
      assert.equal(env["SERVER_PORT"], "4711");
      assert.equal(env["HTTPS"], "on");
      assert.equal(env["SERVER_PROTOCOL"], "HTTP/1.0");
    }
  });
}

test("without a server in front, nothing is known of the connection", async () => {
  const env = variables(await (await makeApp().request("/cgi-bin/env")).text());
  assert.equal(env["REMOTE_PORT"], undefined);
});

test("the app runs under the runtime's own server", {
  skip: runtime.name === "node" ? "Node has none for fetch handlers" : false,
}, async () => {
  const app = makeApp();
  const { port, stop } = startNative(app);
  try {
    const base = `http://127.0.0.1:${port}`;
    assert.equal(await (await fetch(`${base}/style.css`)).text(), "STYLE");
    assert.equal(await (await fetch(`${base}/hello`)).text(), "hello from hono");
    const env = variables(await (await fetch(`${base}/cgi-bin/env`)).text());
    assert.equal(env["REMOTE_ADDR"], "127.0.0.1");
    assert.equal(env["SERVER_PORT"], String(port));
  } finally {
    await stop();
  }
});

interface Native {
  readonly port: number;
  stop(): Promise<void>;
}

function startNative(app: Hono): Native {
  if (runtime.name === "deno") {
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
    return { port: server.addr.port, stop: () => server.shutdown() };
  }
  const { Bun } = globalThis as unknown as {
    Bun: { serve(options: object): { port: number; stop(now: boolean): Promise<void> } };
  };
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: app.fetch });
  return { port: server.port, stop: () => server.stop(true) };
}
