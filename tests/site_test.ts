/**
 * A folder with its CGI scripts, asked in every hostile spelling that broke another server.
 *
 * Over raw sockets: a client such as `fetch` tidies a path up before it leaves, and proves nothing. Whatever is asked, in
 * whatever way, the source of a script, what lies outside of the folder, and an error of the server never come back.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { route } from "../src/router.ts";
import { serve, type Server } from "../src/serve.ts";
import { site } from "../src/site.ts";
import { cgi } from "../src/cgi/mod.ts";
import { staticFiles } from "../src/static/mod.ts";
import type { Handler } from "../src/handler.ts";
import type { LogEvent } from "../src/log/events.ts";
import { type Folder, makeFolder } from "./cli/_folder.ts";
import { exchange, type RawResponse, requestHead } from "./_http.ts";
import "./_runtime.ts";

/** In the source of every script, and in nothing that one prints. */
const SOURCE = "SOURCE-OF-A-SCRIPT";
/** In every file that lies outside of the folder. */
const OUTSIDE = "OUTSIDE-OF-THE-FOLDER";
/** What a script prints when it runs. */
const RAN = "it ran";

const SCRIPT = `#!/bin/sh\n# ${SOURCE}\nprintf 'Content-Type: text/plain\\n\\n'; echo it "ran"\n`;

const folder: Folder = makeFolder({
  "site/index.html": "HOME",
  "site/page.html": "PAGE",
  "site/sub/index.html": "SUB",
  "site/sub/a b.txt": "SPACE",
  "site/cgi-bin/hello.sh": SCRIPT,
  "site/cgi-bin/deep/er.sh": SCRIPT,
  "site/cgi-bin/folder.sh/": "",
  "site/cgi-bin/secret.conf": SOURCE,
  "site/cgi-bin/.hidden.sh": SCRIPT,
  "site/htbin/hello.sh": SCRIPT,
  "site/linked/to-script.sh": "-> ../cgi-bin/hello.sh",
  "site/linked/to-folder": "-> ../cgi-bin",
  "site/cgi-bin/out.sh": "-> ../../outside/script.sh",
  "site/out.txt": "-> ../outside/secret.txt",
  "site/outdir": "-> ../outside",
  "site/.env": OUTSIDE,
  "site/.git/config": OUTSIDE,
  // Beside the scripts, and executable: a file like others, and never run.
  "site/cgi-bin-not.sh": "#!/bin/sh\necho it ran\n",
  "outside/secret.txt": OUTSIDE,
  "outside/script.sh": `#!/bin/sh\n# ${OUTSIDE}\nprintf 'Content-Type: text/plain\\n\\n${OUTSIDE}'\n`,
  "site-twin/secret.txt": OUTSIDE,
});
after(folder.remove);
const ROOT = join(folder.path, "site");

/** What may come of a request: statuses, and the text that a 200 must hold. */
type Outcome = readonly [statuses: readonly number[], text?: string];

const NOT_THERE: Outcome = [[404]];
const REFUSED: Outcome = [[400, 404]];
const RUNS: Outcome = [[200], RAN];
const HOME: Outcome = [[200], "HOME"];
/** A redirect to the canonical path, or none: but nothing is served under this one. */
const NOT_HERE: Outcome = [[301, 404]];

/** The number is that of the catalogues: B of CGI cases, S of static ones. */
const TARGETS: readonly (readonly [number: string, target: string, outcome: Outcome])[] = [
  ["", "/", HOME],
  ["", "/cgi-bin/hello.sh", RUNS],
  ["", "/htbin/hello.sh?x", RUNS],
  ["B6", "/cgi-bin/deep/er.sh", RUNS],
  ["B3", "///////////cgi-bin-not.sh/../cgi-bin/nothere.sh", NOT_HERE],
  ["B3", "///////////cgi-bin-not.sh/../cgi-bin/hello.sh", NOT_HERE],
  ["B4", "cgi-bin/hello.sh", [[400, 404]]],
  ["B5", "/cgi-bin%2fhello.sh", NOT_THERE],
  ["B5", "/cgi-bin%2Fdeep%2Fer.sh", NOT_THERE],
  ["B5", "/cgi-bin/deep%2Fer.sh", NOT_THERE],
  ["B5", "/%63gi-bin/hello.sh", RUNS],
  ["B5", "/cgi-bin/hello%2Esh", RUNS],
  ["B8", "/a/b/c/../d", NOT_THERE],
  ["B8", "/sub/b/../../cgi-bin/hello.sh", RUNS],
  ["B8", "/a/b/c/../d/e/.././././..//../../../cgi-bin/./hello.sh", RUNS],
  ["B9", "..", [[400, 404]]],
  ["B9", "/.//..", HOME],
  ["B9", "../a/b//f", [[400, 404]]],
  ["B9", "/a/b/c/../d/e/../../../../../cgi-bin/hello.sh", RUNS],
  ["B10", "/../cgi-bin/hello.sh", RUNS],
  ["B10", "/../../../../../../../../etc/passwd", NOT_THERE],
  ["B11", "/cgi-bin-not.sh", [[200], "#!/bin/sh"]],
  ["B11", "/cgi-bi/hello.sh", NOT_THERE],
  ["B12", "/cgi-bin/folder.sh", [[403, 404]]],
  ["B12", "/cgi-bin/folder.sh/", [[403, 404]]],
  ["B13", "/cgi-bin", [[403, 404]]],
  ["B13", "/cgi-bin/", [[403, 404]]],
  ["B13", "/cgi-bin/?list", [[403, 404]]],
  ["B14", "/cgi-bin/secret.conf", [[403]]],
  ["B19", "/cgi-bin/hello.sh%20", NOT_THERE],
  ["B19", "/cgi-bin/hello.sh%20%20%20", NOT_THERE],
  ["B19", "/cgi-bin/hello.sh.", NOT_THERE],
  ["B20", "/cgi-bin/hello.sh/", RUNS],
  ["B23", "/page.html/foo", NOT_THERE],
  ["B26", "/cgi-bin/../../outside/secret.txt", NOT_THERE],
  ["B26", "/nothing/../../outside/secret.txt", NOT_THERE],
  ["B26", "/../outside/secret.txt", NOT_THERE],
  ["B26", "/cgi-bin/%2e%2e/%2e%2e/outside/secret.txt", NOT_THERE],
  ["B26", "/cgi-bin/.%2e/%2E./outside/script.sh", NOT_THERE],
  ["B26", "/cgi-bin/..%2f..%2foutside/secret.txt", NOT_THERE],
  ["B27", "/cgi-bin/%%32%65%%32%65/hello.sh", [[400]]],
  ["B27", "/cgi-bin/%%32%65%%32%65/%%32%65%%32%65/outside/secret.txt", [[400]]],
  ["B28", "/cgi-bin/%25%32%65%25%32%65/hello.sh", NOT_THERE],
  ["B28", "/cgi-bin/%252e%252e/page.html", NOT_THERE],
  ["B29", "/sub//index.html", NOT_HERE],
  ["B29", "/sub////.//////index.html", NOT_HERE],
  ["B29", "/nothing/../sub/index.html", [[200], "SUB"]],
  ["B29", "/nothing/%2e/%2e%2e/sub/index%2ehtml", [[200], "SUB"]],
  ["B30", "/sub%2findex.html", NOT_THERE],
  ["B30", "/sub%252findex.html", NOT_THERE],
  ["B31", "/X:/cgi-bin/hello.sh", NOT_THERE],
  // Deno's URL parser takes `C:` for a drive, which `..` does not leave, also in an HTTP URL.
  ["B31", "/C:/../cgi-bin/hello.sh", [[200, 404], RAN]],
  ["B31", "/cgi-bin::$INDEX_ALLOCATION/hello.sh", NOT_THERE],
  ["B31", "/cgi-bin/hello.sh::$DATA", NOT_THERE],
  ["B31", "/CGI-BIN/hello.sh", NOT_THERE],
  ["B31", "/Cgi-Bin/HELLO.SH", NOT_THERE],
  ["B31", "/cgi-bin./hello.sh", NOT_THERE],
  ["B31", "/cgi-bin%20/hello.sh", NOT_THERE],
  ["B34", "/cgi-bin/hello.sh%00", [[400]]],
  ["B34", "/cgi-bin/hello.sh%00.txt", [[400]]],
  ["B34", "/%00", [[400]]],
  ["B34", "/cgi-bin/hello.sh%0a", REFUSED],
  ["B34", "/cgi-bin/%01hello.sh", REFUSED],
  ["", "//cgi-bin/hello.sh", NOT_HERE],
  ["", "/cgi-bin//hello.sh", NOT_THERE],
  ["", "/./cgi-bin/./hello.sh", RUNS],
  ["", "/cgi-bin/;/hello.sh", NOT_THERE],
  ["", "/cgi-bin;x/hello.sh", NOT_THERE],
  ["", "/cgi-bin/hello.sh;x", NOT_THERE],
  ["", "/cgi-bin\\hello.sh", [[200, 400, 404], RAN]],
  ["", "/cgi-bin%5chello.sh", NOT_THERE],
  ["", "/cgi-bin%5C..%5C..%5Coutside%5Csecret.txt", NOT_THERE],
  ["", "/cgi-bin/%c0%ae%c0%ae/page.html", REFUSED],
  ["", "/cgi-bin/%e0%80%af..%e0%80%afpage.html", REFUSED],
  ["", "/cgi-bin/%uff0e%uff0e/page.html", [[400]]],
  ["", "/%EF%BD%83gi-bin/hello.sh", NOT_THERE],
  ["", "/cgi-bin/.hidden.sh", NOT_THERE],
  ["", "/cgi-bin/out.sh", [[403, 404]]],
  ["", "/linked/to-script.sh", NOT_THERE],
  ["", "/linked/to-folder/hello.sh", NOT_THERE],
  ["", "/linked/to-folder/", NOT_THERE],
  ["S28", "/foo%", [[400]]],
  ["S28", "/%ZZ", [[400]]],
  ["S29", "/page.html%00.txt", [[400]]],
  ["S30", "/%FF.txt", REFUSED],
  ["S31", `/${"a".repeat(300)}`, NOT_THERE],
  ["S31", `/cgi-bin/${"a".repeat(300)}`, NOT_THERE],
  ["S31", `/${"a/".repeat(1500)}b`, NOT_THERE],
  ["S32", "/page.html/more", NOT_THERE],
  ["S35", "/sub%5Cindex.html", NOT_THERE],
  ["S35", "/x%5C..%5C..%5Coutside%5Csecret.txt", NOT_THERE],
  ["S37", "/sub%0d%0aX-Evil:1", NOT_THERE],
  ["S37", "/sub%0aX-Evil:1/../sub", NOT_HERE],
  ["S39", "/sub/../../outside/secret.txt", NOT_THERE],
  ["S39", "/.well-known/../../outside/secret.txt", NOT_THERE],
  ["S40", "/%2e%2e/outside/secret.txt", NOT_THERE],
  ["S40", "/%2e%2e%2foutside%2fsecret.txt", NOT_THERE],
  ["S41", "/%252e%252e/outside/secret.txt", NOT_THERE],
  ["S42", "/../site-twin/secret.txt", NOT_THERE],
  ["S42", "/..%2fsite-twin%2fsecret.txt", NOT_THERE],
  ["S43", "/sub/../index.html", HOME],
  ["S44", "//evil.test/%2e%2e/sub", NOT_HERE],
  ["S44", "///evil.test/..%2f..%2fsub", NOT_HERE],
  ["S44", "//evil.test", NOT_HERE],
  ["S44", "/\\evil.test/..", [[301, 400, 404]]],
  ["S83", "/.env", NOT_THERE],
  ["S83", "/.git/config", NOT_THERE],
  ["S83", "/%2Eenv", NOT_THERE],
  ["S83", "/sub/../.env", NOT_THERE],
  ["S91", "/out.txt", NOT_THERE],
  ["S91", "/outdir/secret.txt", NOT_THERE],
  ["S91", "/outdir/", NOT_THERE],
  // An absolute target names a host of its own, which is no reason to serve anything else.
  ["S13", "http://other.test/page.html", [[200], "PAGE"]],
  ["S13", "http://other.test/cgi-bin/../../outside/secret.txt", NOT_THERE],
  ["S13", "http://other.test/cgi-bin%2fhello.sh", NOT_THERE],
  ["", "file:///etc/passwd", [[301, 400, 404]]],
  ["", "*", [[400, 404]]],
  ["", "/?/../../outside/secret.txt", HOME],
  ["", "/page.html?../cgi-bin/hello.sh", [[200], "PAGE"]],
  ["", "/page.html#/../cgi-bin/hello.sh", [[200, 400, 404]]],
];

/** Methods that must not do what GET may not, nor find an error that GET does not. */
const METHODS = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE"] as const;

/** The answer, or `null` where the connection was closed without one: also a way to refuse. */
async function ask(server: Server, request: string): Promise<RawResponse | null> {
  try {
    const method = request.split(" ", 1)[0] as string;
    return await exchange(server.address, request, { method });
  } catch (error) {
    if (/The connection ended/.test(String(error))) return null;
    throw error;
  }
}

function assertHarmless(response: RawResponse | null, request: string): void {
  if (response === null) return;
  const { status, text, head } = response;
  const said = `${request.slice(0, 200)}\n${head}${text.slice(0, 500)}`;
  assert.ok(status < 500 || status === 501, said);
  assert.ok(!text.includes(SOURCE), said);
  assert.ok(!text.includes(OUTSIDE), said);
  assert.ok(!text.includes("root:"), said);
  // No path of this machine, and no header of the client's making.
  assert.ok(!text.includes(folder.path), said);
  assert.equal(response.header("x-evil"), null, said);
  const location = response.header("location");
  if (location !== null) assert.match(location, /^\/(?![/\\])/, said);
}

/** A handler under a server, and what that server complained about. */
interface Served {
  readonly server: Server;
  readonly failures: string[];
}

function serving(handler: Handler & { close?(): Promise<void> }): Served {
  const served: { server: Server; failures: string[] } = {
    server: undefined as unknown as Server,
    failures: [],
  };
  before(async () => {
    served.server = await serve({
      port: 0,
      handler,
      log(event: LogEvent) {
        if (event.type === "message" && event.level === "error") served.failures.push(event.message);
      },
    });
  });
  after(async () => {
    await served.server.close(0);
    await handler.close?.();
  });
  return served;
}

const quiet = () => {};

describe("site() with scripts", () => {
  const served = serving(site({ directory: ROOT, cgi: true, static: { listing: true }, log: quiet }));

  for (const [number, target, [statuses, text]] of TARGETS) {
    const shown = target.length > 80 ? `${target.slice(0, 80)}...` : target;
    test(`${number} ${shown}`.trim(), async () => {
      for (const version of ["HTTP/1.1", "HTTP/1.0"]) {
        const request = requestHead("GET", target, "Connection: close").replace("HTTP/1.1", version);
        const response = await ask(served.server, request);
        assertHarmless(response, request);
        // Closing without a word is what a runtime's parser does; what may be answered may not end like that.
        if (response === null) assert.ok(!statuses.includes(200) || statuses.includes(400), request);
        else {
          assert.ok(
            statuses.includes(response.status),
            `${request}${response.status} is none of ${statuses}`,
          );
          if (response.status === 200 && text !== undefined) {
            assert.ok(response.text.includes(text), response.text);
          }
          if (response.status === 200 && text !== RAN) assert.notEqual(response.text, `${RAN}\n`);
        }
      }
    });
  }

  for (const method of METHODS.filter((method) => method !== "GET")) {
    test(`${method} of all these finds nothing that GET does not`, async () => {
      for (const [, target] of TARGETS) {
        const request = requestHead(method, target, "Content-Length: 0", "Connection: close");
        assertHarmless(await ask(served.server, request), request);
      }
    });
  }

  const hosts = [
    "",
    "a b",
    "[",
    "[::1",
    "::1",
    "a/../cgi-bin/hello.sh?",
    "user:pass@h",
    "h:99999",
    "h:x",
    "\\",
    "%00",
    "#",
    "é",
    "xn--",
    "h\u0000x",
  ];
  for (const host of hosts) {
    test(`a Host of ${JSON.stringify(host)}`, async () => {
      for (const target of ["/", "/cgi-bin/hello.sh", "/sub", "/cgi-bin/../.env"]) {
        const request = requestHead("GET", target, `Host: ${host}`, "Connection: close");
        assertHarmless(await ask(served.server, request), request);
      }
    });
  }

  test("it still serves, and nothing has failed", async () => {
    assert.equal((await ask(served.server, requestHead("GET", "/cgi-bin/hello.sh")))?.text, `${RAN}\n`);
    assert.deepEqual(served.failures, []);
  });
});

const WITHOUT_SCRIPTS: readonly (readonly [what: string, handler: Handler])[] = [
  ["site() without scripts", site({ directory: ROOT, static: { listing: true }, log: quiet })],
  [
    "site() with scripts that do not run",
    site({ directory: ROOT, cgi: { run: false }, static: { listing: true }, log: quiet }),
  ],
];

for (const [what, handler] of WITHOUT_SCRIPTS) {
  describe(what, () => {
    const served = serving(handler);

    for (const method of METHODS) {
      test(`${method} of all these sends and runs no script`, async () => {
        for (const [, target, [, text]] of TARGETS) {
          const request = requestHead(method, target, "Content-Length: 0", "Connection: close");
          const response = await ask(served.server, request);
          assertHarmless(response, request);
          if (response === null) continue;
          assert.notEqual(response.text, `${RAN}\n`);
          if (text === RAN && method === "GET") assert.equal(response.status, 404, request);
        }
        assert.deepEqual(served.failures, []);
      });
    }
  });
}

describe("route() with scripts and files in one folder", () => {
  const served = serving(route([
    ["/cgi-bin/*", cgi({ root: join(ROOT, "cgi-bin"), log: quiet })],
    ["/*", staticFiles({ root: ROOT, cgiDirectories: ["cgi-bin", "htbin"], listing: true, log: quiet })],
  ]));

  test("the same spellings find the same nothing", async () => {
    for (const [, target, [statuses, text]] of TARGETS) {
      const request = requestHead("GET", target, "Connection: close");
      const response = await ask(served.server, request);
      assertHarmless(response, request);
      if (response === null || target.includes("htbin")) continue;
      assert.ok(statuses.includes(response.status), `${request}${response.status} is none of ${statuses}`);
      if (response.status === 200 && text !== undefined) {
        assert.ok(response.text.includes(text), response.text);
      }
    }
    assert.deepEqual(served.failures, []);
  });
});

test("a listing shows no script, and no way to one", async () => {
  const handler = site({ directory: ROOT, cgi: true, static: { listing: true, index: [] }, log: quiet });
  for (const path of ["/", "/linked/"]) {
    const response = await handler(
      new Request(`http://localhost${path}`, { headers: { accept: "application/json" } }),
    );
    const names = (await response?.json()).map(({ name }: { name: string }) => name);
    for (const name of names) assert.doesNotMatch(name, /^(cgi-bin|htbin|to-|out|\.)(?!-not)/, path);
    if (path === "/") assert.ok(names.includes("cgi-bin-not.sh"));
  }
  await handler.close();
});

test("an ending that scripts or interpreters have is never sent, wherever the file is", async () => {
  const own = makeFolder({
    "a/x.cgi": SCRIPT,
    "a/y.say": SOURCE,
    "a/z.txt": "TEXT",
    "cgi-bin/y.say": SOURCE,
  });
  const options = {
    extensions: [".cgi"],
    interpreters: { ".say": ["/bin/echo", "Content-Type: text/plain\n\n"] },
  };
  for (const run of [true, false]) {
    const handler = site({ directory: own.path, cgi: { ...options, run }, log: quiet });
    const get = async (path: string) => {
      const response = await handler(new Request(`http://localhost${path}`));
      return [response?.status, await response?.text()] as const;
    };
    assert.equal((await get("/a/z.txt"))[1], "TEXT");
    const [status, text] = await get("/a/x.cgi");
    assert.equal(status, run ? 200 : 404);
    assert.ok(!text?.includes(SOURCE));
    for (const path of ["/a/x.CGI", "/a/y.say", "/a/y.SAY", "/a/x.cgi/", "/a/y.say?"]) {
      const [status, text] = await get(path);
      assert.ok(status === 404 || status === 403 || (run && text === `${RAN}\n`), `${path} ${status}`);
      assert.ok(!text?.includes(SOURCE), path);
    }
    await handler.close();
  }
  own.remove();
});

test("POST to what is no script is 501 with scripts, as Python's server has it, and 405 without", async () => {
  for (const [cgi, status] of [[true, 501], [false, 405]] as const) {
    const handler = site({ directory: ROOT, cgi, log: quiet });
    const response = await handler(new Request("http://localhost/page.html", { method: "POST", body: "x" }));
    assert.equal(response?.status, status);
    assert.match(response?.headers.get("allow") ?? "", /GET, HEAD/);
    await handler.close();
  }
});

test("a local redirect leads to files and scripts of the site, with and without a server", async () => {
  const redirect = (path: string) => `#!/bin/sh\nprintf 'Location: ${path}\\n\\n'\n`;
  const own = makeFolder({
    "page.html": "PAGE",
    "cgi-bin/to-page": redirect("/page.html?x"),
    "cgi-bin/to-script": redirect("/cgi-bin/hello"),
    "cgi-bin/to-itself": redirect("/cgi-bin/to-itself"),
    "cgi-bin/hello": SCRIPT,
  });
  const handler = site({ directory: own.path, cgi: true, log: quiet });
  const server = await serve({ port: 0, handler, log: quiet });
  const mounted = await serve({
    port: 0,
    handler: route([["/below/*", handler], ["/page.html", () => new Response("TOP")]]),
    log: quiet,
  });
  const askers = [
    async (path: string) => await handler(new Request(`http://localhost${path}`)) as Response,
    (path: string) => fetch(new URL(path, server.url)),
  ];
  for (const get of askers) {
    assert.equal(await (await get("/cgi-bin/to-page")).text(), "PAGE");
    assert.equal(await (await get("/cgi-bin/to-script")).text(), `${RAN}\n`);
    assert.equal((await get("/cgi-bin/to-itself")).status, 500);
  }
  // The path of a local redirect is the server's, not the mount's.
  assert.equal(await (await fetch(new URL("/below/cgi-bin/to-page", mounted.url))).text(), "TOP");
  for (const { close } of [server, mounted, handler]) await close(0);
  own.remove();
});

test("site() serves from below a mount", async () => {
  const handler = site({ directory: ROOT, cgi: true, mount: "/below", log: quiet });
  const get = async (path: string) => await handler(new Request(`http://localhost${path}`));
  assert.equal(await (await get("/below/page.html"))?.text(), "PAGE");
  assert.equal(await (await get("/below/cgi-bin/hello.sh"))?.text(), `${RAN}\n`);
  assert.equal((await get("/below/sub"))?.headers.get("location"), "/below/sub/");
  assert.notEqual((await get("/page.html"))?.status, 200);
  await handler.close();
});

test("after close() no script starts, and files are served on", async () => {
  const handler = site({ directory: ROOT, cgi: true, log: quiet });
  await handler.close();
  assert.equal((await handler(new Request("http://localhost/cgi-bin/hello.sh")))?.status, 503);
  assert.equal(await (await handler(new Request("http://localhost/page.html")))?.text(), "PAGE");
});

test("site() refuses options that make no sense", () => {
  assert.throws(() => site({ directory: ROOT, cgi: { directories: ["../x"] } }), TypeError);
  assert.throws(() => site({ directory: ROOT, cgi: { timeouts: { idle: -1 } } }), RangeError);
});

test("a host that looks like one and is none is refused, however the file would be answered", async (t) => {
  const folder = makeFolder({ "small.txt": "small", "large.txt": "x".repeat(2_000_000) });
  t.after(folder.remove);
  const handler = site({ directory: folder.path, log() {} });
  const server = await serve({ port: 0, handler, log() {} });
  t.after(() => server.close(0));
  for (const host of ["xn--a", "256.0.0.1", "a:99999", "[::1]:99999"]) {
    // Twice: the second answer could come from memory.
    for (const path of ["/small.txt", "/small.txt", "/large.txt", "/none"]) {
      const { status } = await exchange(server.address, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      assert.equal(status, 400, `${host} ${path}`);
    }
  }
});
