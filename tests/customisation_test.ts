/**
 * What could be changed of Python's `http.server` by a subclass can be changed here, and arrives on the wire: error pages,
 * statuses, `Server`, media types, indexes, listings, paths, fields, log, methods. (`Expect: 100-continue`:
 * `serve_test.ts`.)
 */

import assert from "node:assert/strict";
import { after, before, describe, it, test } from "node:test";
import {
  byMethod,
  errorPage,
  type Handler,
  type LogEvent,
  type RenderError,
  serve,
  type ServeOptions,
  staticFiles,
  STATUSES,
} from "../mod.ts";
import { makeFolder } from "./cli/_folder.ts";
import { exchange, get, type RawResponse, requestHead } from "./_http.ts";

const folder = makeFolder({
  "page.html": "PAGE",
  "data.unheard-of": "DATA",
  "Makefile": "all:",
  "home.html": "HOME",
  "sub/start.txt": "START",
  "files/<a>&.txt": "ODD",
  "hosts/a.test/x.txt": "OF A",
});
after(folder.remove);

type Ask = (data: string) => Promise<RawResponse>;

async function serving<T>(options: Partial<ServeOptions>, use: (ask: Ask) => Promise<T>): Promise<T> {
  const handler: Handler = () => undefined;
  const server = await serve({ port: 0, log() {}, handler, ...options });
  try {
    return await use((data) => exchange(server.address, data));
  } finally {
    await server.close(0);
  }
}

describe("error pages", () => {
  const failing: Handler = () => {
    throw new Error("/etc/secret <b>");
  };

  for (
    const [accept, type, pattern] of [
      ["text/html", "text/html; charset=utf-8", /<title>404 Not Found<\/title>[^]*Nothing is here/],
      [
        "application/json",
        "application/json",
        /^\{"error":\{"code":404,"message":"Not Found","explain":"Nothing/,
      ],
      ["text/plain", "text/plain; charset=utf-8", /^404 Not Found\nNothing/],
      ["image/png", "text/html; charset=utf-8", /<h1>/],
      ["application/json;q=0.1, text/plain", "text/plain; charset=utf-8", /^404/],
    ] as const
  ) {
    it(`are ${type} for Accept: ${accept}, with their length; HEAD has all but the body`, () =>
      serving({}, async (ask) => {
        const page = await ask(get("/x", `Accept: ${accept}`));
        assert.deepEqual([page.status, page.header("content-type")], [404, type]);
        assert.match(page.text, pattern);
        assert.equal(page.header("content-length"), String(page.body.length));
        assert.equal(page.header("transfer-encoding"), null);
        const head = await ask(requestHead("HEAD", "/x", `Accept: ${accept}`));
        assert.deepEqual([head.status, head.raw.length], [404, 0]);
        assert.equal(head.header("content-length"), String(page.body.length));
      }));
  }

  it("tell nothing of what has failed, and nothing of the request is in them", () =>
    serving({ handler: failing }, async (ask) => {
      const { status, text } = await ask(get("/<script>?%3Cscript%3E"));
      assert.equal(status, 500);
      assert.doesNotMatch(text, /secret|<script>|%3C/);
    }));

  it("have no body where there is none", () => {
    const handler: Handler = (request) =>
      errorPage({ status: Number(new URL(request.url).pathname.slice(1)), request });
    return serving({ handler }, async (ask) => {
      for (const status of [204, 205, 304]) {
        const page = await ask(get(`/${status}`));
        assert.deepEqual([page.status, page.raw.length, page.header("content-type")], [status, 0, null]);
      }
      assert.equal((await ask(get("/418", "Accept: text/plain"))).text.split("\n")[0], "418 I'm a teapot");
    });
  });

  it("of one's own have their type and length, wherever the error is", () => {
    const renderError: RenderError = ({ status, message, explain, request }) =>
      new Response(`<error code="${status}" method="${request.method}">${message}: ${explain}</error>`, {
        headers: { "content-type": "text/xml" },
      });
    const handler = staticFiles({ root: folder.path, renderError, log() {} });
    return serving({ handler, renderError }, async (ask) => {
      const page = await ask(get("/none"));
      assert.equal(page.text, `<error code="404" method="GET">Not Found: ${STATUSES[404]!.explain}</error>`);
      assert.deepEqual([page.status, page.header("content-type")], [404, "text/xml"]);
      assert.equal(page.header("content-length"), String(page.body.length));
      const head = await ask(requestHead("HEAD", "/none"));
      assert.deepEqual([head.status, head.raw.length], [404, 0]);
      const refused = await ask(requestHead("DELETE", "/page.html"));
      assert.deepEqual([refused.status, refused.header("allow")], [405, "GET, HEAD, OPTIONS"]);
      assert.equal((await ask(get("/%00"))).status, 400);
    });
  });
});

test("Server is what the options say, and nothing by default", async () => {
  assert.equal(await serving({}, async (ask) => (await ask(get("/"))).header("server")), null);
  const headers = { server: "example/1.0", "x-all": "yes" };
  await serving({ headers, handler: staticFiles({ root: folder.path, log() {} }) }, async (ask) => {
    for (const path of ["/page.html", "/none", "/sub"]) {
      const response = await ask(get(path));
      assert.deepEqual([response.header("server"), response.header("x-all")], ["example/1.0", "yes"], path);
    }
  });
});

describe("files", () => {
  let ask: Ask;
  let close: () => Promise<void>;
  before(async () => {
    const handler = staticFiles({
      root: folder.path,
      types: (name) => name === "Makefile" ? "text/x-makefile" : null,
      defaultType: "application/x-unknown",
      index: ["index.html", "home.html", "start.txt"],
      headers: [{ path: "*.html", headers: { "x-page": "yes" } }],
      listing: true,
      renderListing: ({ path, entries }) => Response.json([path, entries.map(({ name }) => name)]),
      rewrite: (path, { url }) => new URL(url).hostname === "a.test" ? `/hosts/a.test${path}` : path,
      log() {},
    });
    const server = await serve({ port: 0, log() {}, handler });
    ask = (data) => exchange(server.address, data);
    close = () => server.close(0);
  });
  after(() => close());

  it("have the types of the options", async () => {
    assert.match((await ask(get("/Makefile"))).header("content-type") ?? "", /^text\/x-makefile\b/);
    assert.equal((await ask(get("/data.unheard-of"))).header("content-type"), "application/x-unknown");
    assert.equal((await ask(get("/page.html"))).header("content-type"), "text/html; charset=utf-8");
  });

  it("have the fields of the options, by path", async () => {
    assert.equal((await ask(get("/page.html"))).header("x-page"), "yes");
    assert.equal((await ask(get("/data.unheard-of"))).header("x-page"), null);
  });

  it("answer for their folders by the names of the options, in that order", async () => {
    assert.equal((await ask(get("/"))).text, "HOME");
    assert.equal((await ask(get("/sub/"))).text, "START");
  });

  it("are listed on a page of one's own, with its length", async () => {
    const page = await ask(get("/files/"));
    assert.deepEqual(JSON.parse(page.text), ["/files/", ["<a>&.txt"]]);
    assert.equal(page.header("content-length"), String(page.body.length));
  });

  it("are found where the option says", async () => {
    assert.equal((await ask(get("/x.txt", "Host: a.test"))).text, "OF A");
    assert.equal((await ask(get("/x.txt", "Host: b.test"))).status, 404);
    // What it leads out of is not left.
    assert.equal((await ask(get("/../../page.html", "Host: a.test"))).status, 404);
  });
});

test("methods have functions; what has none is 405, and 501 where nobody knows it", async () => {
  const handler = byMethod({
    GET: () => new Response("got"),
    async PROPFIND(request) {
      return new Response(`found ${await request.text()}`, { status: 207 });
    },
  });
  await serving({ handler }, async (ask) => {
    assert.equal((await ask(get("/"))).text, "got");
    const found = await ask(`${requestHead("PROPFIND", "/", "Content-Length: 3")}abc`);
    assert.deepEqual([found.status, found.text], [207, "found abc"]);
    const refused = await ask(requestHead("DELETE", "/"));
    assert.equal(refused.status, 405);
    assert.match(refused.header("allow") ?? "", /GET.*PROPFIND/);
    assert.equal((await ask(requestHead("SPAM", "/"))).status, 501);
  });
});

test("the log is told of requests, errors and messages, with who and when", async () => {
  const events: LogEvent[] = [];
  const handler: Handler = (request) => {
    if (new URL(request.url).pathname === "/boom") throw new Error("boom");
    return undefined;
  };
  await serving({ handler, log: (event) => void events.push(event) }, async (ask) => {
    await ask(get("/none?x"));
    await ask(get("/boom"));
  });
  const access = events.filter((event) => event.type === "access");
  assert.deepEqual(access.map(({ remote, method, target, status }) => [remote, method, target, status]), [
    ["127.0.0.1", "GET", "/none?x", 404],
    ["127.0.0.1", "GET", "/boom", 500],
  ]);
  for (const { time } of access) assert.ok(Math.abs(time.getTime() - Date.now()) < 60_000);
  const message = events.find((event) => event.type === "message");
  assert.deepEqual([message?.level, message?.message], [
    "error",
    "handler failed for GET /boom: Error: boom",
  ]);
});
