/**
 * A guarded path in generated spellings, however the app is put together: below `basePath()`, `route()`, parameters, `*`.
 * As the URL is normalised, and as some servers hand it over: raw. (Over sockets: `hono_path_test.ts`.)
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Context, Hono } from "hono";
import { cgi, staticFiles } from "../src/hono.ts";
import { makeFolder, script } from "./cli/_folder.ts";

const folder = makeFolder({
  "files/open.txt": "OPEN",
  "files/secret/plan.txt": "SECRET",
  "scripts/wiki": script('echo "WIKI $PATH_INFO"'),
});
after(folder.remove);

/** How an app is put together. */
interface Kind {
  readonly base?: string;
  readonly sub?: string;
  readonly star?: true;
  readonly strict?: false;
}

const KINDS: readonly Kind[] = [
  {},
  { strict: false },
  { base: "/api" },
  { sub: "/sub" },
  { base: "/api", sub: "/v/:id" },
  { star: true },
];

function makeApp({ base, sub, star, strict }: Kind): Hono {
  const app = new Hono(strict === false ? { strict } : {});
  const outer = base === undefined ? app : app.basePath(base);
  const inner = sub === undefined ? outer : new Hono();
  const deny = (c: Context) => Promise.resolve(c.text("denied", 401));
  inner.use("/files/secret/*", deny);
  inner.use("/scripts/wiki/admin/*", deny);
  if (star) inner.use("*", staticFiles({ root: folder.path, log() {} }));
  else inner.use("/files/*", staticFiles({ root: join(folder.path, "files"), log() {} }));
  inner.use("/scripts/*", cgi({ root: join(folder.path, "scripts"), log() {} }));
  if (sub !== undefined) outer.route(sub, inner);
  return app;
}

const SEPARATORS = [
  "/",
  "//",
  "/./",
  "/x/../",
  "/%2e/",
  "/%2E%2e/",
  "%2f",
  "%2F",
  "%5c",
  "\\",
  "/%00/",
  "/.%2e/x/",
  "/;/",
  "%252f",
];
const WORDS = [
  "secret",
  "%73ecret",
  "secret.",
  "secret%20",
  "secret;x",
  "%2573ecret",
  "secret%00",
  "sec%C0%AFret",
];

function* spellings(prefix: string): Generator<string> {
  for (const one of SEPARATORS) {
    for (const two of SEPARATORS) {
      for (const word of WORDS) yield `${prefix}${one}files${two}${word}/plan.txt`;
      yield `${prefix}/files${one}secret${two}plan.txt`;
    }
  }
  // These start programs.
  for (const one of ["/", "//", "/./", "/x/../", "%2f", "%5c"]) yield `${prefix}/scripts/wiki${one}admin/x`;
}

/** The request as a server hands it over that does not normalise URLs. */
function raw(url: string): Request {
  return new Proxy(new Request(url), {
    get(target, name) {
      const value = name === "url" ? url : Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

for (const kind of KINDS) {
  test(`no spelling gets around a guard: ${JSON.stringify(kind)}`, async () => {
    const app = makeApp(kind);
    const prefix = `${kind.base ?? ""}${kind.sub ?? ""}`.replace(":id", "7");
    const ask = async (path: string) => await app.request(`http://localhost${prefix}${path}`);
    assert.equal(await (await ask("/files/open.txt")).text(), "OPEN");
    assert.equal((await ask("/files/secret/plan.txt")).status, 401);
    let asked = 0;
    for (const path of spellings(prefix)) {
      const url = `http://localhost${path}`;
      // Not a path: no server takes it.
      if (!path.startsWith("/")) continue;
      for (const request of [new Request(url), raw(url)]) {
        const response = await app.fetch(request);
        const text = await response.text();
        assert.ok(response.status < 500, `${path}: ${response.status}`);
        assert.ok(!text.includes("SECRET"), path);
        assert.doesNotMatch(text, /^WIKI \/admin(?:\/|$)/, path);
        const location = response.headers.get("location");
        if (location !== null) assert.match(location, /^\/[^/\\]/, path);
        asked++;
      }
    }
    assert.ok(asked > 2000, `${asked}`);
  });
}
