/**
 * A middleware that guards a part of the path cannot be got around: the handlers answer nothing that Hono's router has
 * seen under another path. On every server, over a raw socket.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Context, Hono } from "hono";
import { cgi, staticFiles } from "../src/hono.ts";
import { serve } from "../src/serve.ts";
import { exchange, get } from "./_http.ts";
import { servers, type Start } from "./_servers.ts";
import { makeFolder, script } from "./cli/_folder.ts";

const folder = makeFolder({
  "files/open.txt": "OPEN",
  "files/a+b, c.txt": "PLUS",
  "files/50% = half?.txt": "HALF",
  "files/grüße.txt": "UMLAUT",
  "files/[x]/{y}.txt": "BRACKETS",
  "files/index.html": "INDEX",
  "files/secret/plan.txt": "SECRET",
  "files/R&D/plan.txt": "SECRET",
  "scripts/wiki": script('echo "WIKI $PATH_INFO"'),
});
after(folder.remove);

function makeApp(): Hono {
  const app = new Hono();
  const deny = (c: Context) => Promise.resolve(c.text("denied", 401));
  app.use("/files/secret/*", deny);
  app.use("/files/R&D/*", deny);
  app.use("/scripts/wiki/admin/*", deny);
  app.use("/files/*", staticFiles({ root: join(folder.path, "files"), log() {} }));
  app.use("/scripts/*", cgi({ root: join(folder.path, "scripts"), log() {} }));
  app.get("/api/:name", (c) => c.text(`api ${c.req.param("name")}`));
  app.notFound((c) => c.text("nothing", 404));
  return app;
}

/** Spellings of guarded paths that somebody might not see through. */
const EVASIONS = [
  "/files/secret/plan.txt",
  "/files//secret/plan.txt",
  "//files/secret/plan.txt",
  "/files/./secret/plan.txt",
  "/files/x/../secret/plan.txt",
  "/files/a/.x/../../secret/plan.txt",
  "/.x/../files/secret/plan.txt",
  "/files/.x/./../secret/plan.txt",
  "/files/%2e/secret/plan.txt",
  "/files/x/%2e%2e/secret/plan.txt",
  "/files/x/%2E./secret/plan.txt",
  "/files%2Fsecret/plan.txt",
  "/files%2fsecret%2fplan.txt",
  "/files/secret%2Fplan.txt",
  "/files/secret%5Cplan.txt",
  "/files/secret\\plan.txt",
  "/files\\secret\\plan.txt",
  "/files/x%2F..%2Fsecret/plan.txt",
  "/files/x%5C..%5Csecret/plan.txt",
  "/files/%73ecret/plan.txt",
  "/files/%2573ecret/plan.txt",
  "/files/secret;/plan.txt",
  "/files/secret%3B/plan.txt",
  "/files/secret/plan.txt%00",
  "/files/secret%00/plan.txt",
  "/files/secret/plan.txt/",
  "/files/R&D/plan.txt",
  "/files/R%26D/plan.txt",
  "/files/%52%26%44/plan.txt",
  "/files/R%2526D/plan.txt",
  "/scripts/wiki/admin/delete",
  "/scripts/wiki/admin%2Fdelete",
  "/scripts/wiki%2Fadmin/delete",
  "/scripts/wiki/admin%5Cdelete",
  "/scripts/wiki/x/../admin/delete",
  "/scripts/wiki/./admin/delete",
  "/scripts/wiki/.x/y/../../admin/delete",
  "/scripts/wiki/%61dmin/delete",
  "/scripts/wiki//admin/delete",
  "/scripts//wiki/admin/delete",
  "http://localhost/files/x/../secret/plan.txt",
  "/files/secret/plan.txt?/../x",
  "/files/secret/plan.txt#/../x",
];

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
    const ask = (target: string) => exchange(server.address, get(target, "Connection: close"));

    await t.test("no spelling of a guarded path gets around the guard", async () => {
      for (const target of EVASIONS) {
        const response = await ask(target).catch(() => null);
        // A server may refuse to parse it, and close.
        if (response === null) continue;
        const { status, text } = response;
        assert.ok(!text.includes("SECRET"), `${target}: ${text}`);
        // Not the guarded path to anybody, the script included.
        if (text.startsWith("WIKI")) assert.match(text, /^WIKI \/(?:\/admin\/|admin\\)delete\n$/, target);
        else assert.ok([301, 308, 400, 401, 404].includes(status), `${target}: ${status} ${text}`);
        if (status === 308) {
          const location = response.header("location") as string;
          assert.match(location, /^\/[^/\\]/, target);
          assert.equal((await ask(location)).status, 401, `${target} to ${location}`);
        }
      }
    });

    await t.test("names that need escapes are found, under the spelling that Hono sees", async () => {
      const names = {
        "a+b, c.txt": "PLUS",
        "50% = half?.txt": "HALF",
        "grüße.txt": "UMLAUT",
        "[x]/{y}.txt": "BRACKETS",
      };
      for (const [file, text] of Object.entries(names)) {
        const encoded = file.split("/").map(encodeURIComponent).join("/");
        const response = await fetch(`${server.url}/files/${encoded}`);
        assert.equal(await response.text(), text, file);
        const minimal = encodeURI(file).replace("?", "%3F");
        assert.equal((await ask(`/files/${minimal}`)).text, text, minimal);
      }
      assert.equal(
        (await ask("/scripts/wiki/User%3AAda?x=%2F")).header("location"),
        "/scripts/wiki/User:Ada?x=%2F",
      );
      assert.equal((await ask("/scripts/wiki/User:Ada")).text, "WIKI /User:Ada\n");
    });

    await t.test("what is somebody else's is not redirected", async () => {
      assert.equal((await ask("/api/a%26b%2Fc")).text, "api a&b/c");
      assert.equal((await ask("/files/no%26where")).text, "nothing");
    });

    await server.stop();
  });
}

test("without `strict`, Hono sees no slash at the end; folders are found all the same", async () => {
  const app = new Hono({ strict: false });
  app.use("/files/*", staticFiles({ root: join(folder.path, "files"), log() {} }));
  assert.equal(await (await app.request("/files/")).text(), "INDEX");
  assert.equal(await (await app.request("/files/open.txt")).text(), "OPEN");
});
