/**
 * Serves files with one of the packages, the way that its own page shows: `static.mjs NAME PORT FOLDER`. PACKAGES
 * is where they are.
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [name, portText, root] = process.argv.slice(2);
const port = Number(portText);
const hostname = "127.0.0.1";
const { Bun, Deno } = globalThis;
const load = (path) => import(pathToFileURL(join(process.env.PACKAGES, path)).href);

const servers = {
  async "sirv"() {
    const { default: sirv } = await load("sirv/build.mjs");
    const handle = sirv(root, { dev: false, etag: true });
    listen((request, response) =>
      handle(request, response, () => {
        response.statusCode = 404;
        response.end();
      })
    );
  },
  async "send"() {
    const { default: send } = await load("send/index.js");
    listen((request, response) => send(request, request.url, { root }).pipe(response));
  },
  async "serve-handler"() {
    const { default: handler } = await load("serve-handler/src/index.js");
    listen((request, response) => handler(request, response, { public: root, cleanUrls: false, etag: true }));
  },
  async "hono"() {
    const { Hono } = await load("hono/dist/index.js");
    const { serveStatic } = await load(
      Bun
        ? "hono/dist/adapter/bun/index.js"
        : Deno
        ? "hono/dist/adapter/deno/index.js"
        : "@hono/node-server/dist/serve-static.mjs",
    );
    process.chdir(root);
    const app = new Hono().use("/*", serveStatic({ root: "./" }));
    if (Bun) Bun.serve({ port, hostname, fetch: app.fetch });
    else if (Deno) Deno.serve({ port, hostname, onListen() {} }, app.fetch);
    else (await load("@hono/node-server/dist/index.mjs")).serve({ fetch: app.fetch, port, hostname });
  },
  "Bun.file"() {
    const fetch = (request) => new Response(Bun.file(root + new URL(request.url).pathname));
    Bun.serve({ port, hostname, fetch });
  },
  /** No files at all: what was read at the start, out of memory, with nothing looked at but the path. */
  "bare node:http"() {
    const answers = new Map();
    for (const file of readdirSync(root)) {
      const info = statSync(join(root, file));
      const { size, mtime } = info;
      if (!info.isFile() || size > 1 << 20) continue;
      const head = {
        "content-type": "text/html; charset=utf-8",
        "content-length": size,
        "last-modified": mtime.toUTCString(),
        "etag": `"${size.toString(16)}-${mtime.getTime().toString(16)}"`,
      };
      answers.set(`/${file}`, { head, body: readFileSync(join(root, file)) });
    }
    listen((request, response) => {
      const { head, body } = answers.get(request.url);
      if (request.headers["if-none-match"] === head.etag) {
        response.writeHead(304, { etag: head.etag });
        response.end();
      } else {
        response.writeHead(200, head);
        response.end(request.method === "HEAD" ? undefined : body);
      }
    });
  },
};

function listen(handle) {
  createServer({ keepAliveTimeout: 60_000 }, handle).listen(port, hostname, 511);
}

await servers[name]();
