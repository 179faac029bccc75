/**
 * Group J: the static side of a site that runs scripts, by CPython's own suite.
 *
 * @module
 */

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type RunningCommand, startCommand } from "../../_command.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { get, toBytes } from "../../_http.ts";
import { ask, askBytes, askUsual, expectStatus, expectText, usualServer } from "./_ask.ts";
import { file, freshPath, pathOf, root } from "./_scripts.ts";
import { versionCases } from "./static_syntax.ts";
import { together } from "./_together.ts";

/** Files and folders beside scripts. */
export const staticCases: ConformanceSection = together({
  title: "J. The static side",
  cases: [
    test(
      "J1",
      "T",
      "GET /j1, a folder; with ?hi=1",
      "301 to /j1/, Content-Length: 0, the query kept",
      async () => {
        file("site/j1/a.txt", "a");
        const response = await askUsual("GET /j1");
        expectText(response, "", 301);
        assert.equal(response.header("location"), "/j1/");
        assert.equal(response.header("content-length"), "0");
        assert.equal((await askUsual("GET /j1?hi=1")).header("location"), "/j1/?hi=1");
      },
    ),
    test("J2", "T", "GET /j2/ without an index; with ?hi=2", "200, a listing", async () => {
      file("site/j2/a.txt", "a");
      for (const query of ["", "?hi=2"]) {
        const response = await askUsual(`GET /j2/${query}`);
        expectStatus(response, 200);
        assert.match(response.text, /a\.txt/);
      }
    }),
    test("J3", "C", "GET /sub%2f, /sub%2F", "404: an encoded slash names nothing (Python: 200)", async () => {
      expectStatus(await askUsual("GET /sub%2f"), 404);
      expectStatus(await askUsual("GET /sub%2F"), 404);
    }),
    test("J4", "T", "GET /page.html/, /page.html%2f", "404", async () => {
      expectStatus(await askUsual("GET /page.html/"), 404);
      expectStatus(await askUsual("GET /page.html%2f"), 404);
    }),
    test("J5", "T", "GET /missing, /missing/", "404", async () => {
      expectStatus(await askUsual("GET /missing"), 404);
      expectStatus(await askUsual("GET /missing/"), 404);
    }),
    test("J6", "T", "index.html is a folder", "200, a listing", async () => {
      file("site/j6/index.html/x.txt", "x");
      const response = await askUsual("GET /j6/");
      expectStatus(response, 200);
      assert.match(response.text, /index\.html/);
    }),
    test(
      "J7",
      "C",
      "GET of a folder that may not be read",
      "403 (Python: 404), nothing of it listed",
      unreadable,
    ),
    test(
      "J8",
      "T",
      "GET //evil/..%2f../%0a%0d/../sub with 1, 2, 3 slashes in front",
      "any Location begins with exactly one slash, and holds no line end",
      async () => {
        for (const slashes of ["/", "//", "///"]) {
          for (
            const path of [
              "evil/..%2f../%0a%0d/../sub",
              "evil/%2e%2e/sub",
              "sub",
              "sub//",
              "\\evil.test/%2e%2e/sub",
            ]
          ) {
            const response = await askUsual(`GET ${slashes}${path}`);
            expectStatus(response, 200, 301, 400, 404);
            const location = response.header("location");
            if (location !== null) assert.match(location, /^\/(?![/\\])[^\r\n]*$/);
          }
        }
      },
    ),
    test("J9", "T", "GET http://somewhere.test/sub, a folder", "301 to /sub/ on the same host", async () => {
      const response = await askUsual("GET http://somewhere.test/sub", ["Host: somewhere.test"]);
      expectStatus(response, 301);
      const { href } = new URL(response.header("location")!, "http://somewhere.test/sub");
      assert.equal(href, "http://somewhere.test/sub/");
    }),
    test("J10", "M", "HEAD /page.html", "Content-Length and Content-Type of GET, no body", async () => {
      const [gotten, headed] = [await askUsual("GET /page.html"), await askUsual("HEAD /page.html")];
      for (const name of ["content-length", "content-type"]) {
        assert.equal(headed.header(name), gotten.header(name));
      }
      assert.equal(headed.header("content-length"), "4");
      assert.equal(headed.body.length, 0);
    }),
    test(
      "J11",
      "M",
      "If-Modified-Since equal, later, earlier; with If-None-Match",
      "304, 304, 200; If-None-Match decides where it is there (`*`: 304)",
      conditions,
    ),
    test(
      "J13",
      "T",
      'a listing of names with <, >, &, ", non-ASCII',
      "escaped text, and links that work",
      async () => {
        const names = ["<a>&b.txt", 'q"uote.txt', "ünïcode 💩.txt", "a%2fb.txt", "javascript:x"];
        for (const name of names) file(`site/j13/${name}`, name);
        const { text } = await askUsual("GET /j13/");
        assert.doesNotMatch(text, /<a>&b/);
        const links = Array.from(
          text.matchAll(/href="([^"]*)"/g),
          ([, href]) => href!.replaceAll("&amp;", "&"),
        );
        for (const name of names) {
          const paths = links.map((href) => new URL(href, "http://x/j13/").pathname);
          const path = paths.find((each) => decodeURIComponent(each) === `/j13/${name}`);
          assert.ok(path !== undefined, `${name} in ${links}`);
          assert.equal((await askUsual(`GET ${path}`)).text, name);
        }
      },
    ),
    test(
      "J14",
      "T",
      "GET /j2/?x=%bb, /missing?x=%bb, /cgi-bin/missing",
      "no absolute path of the server in the page",
      async () => {
        file("site/j2/a.txt", "a");
        for (const path of ["/j2/?x=%bb", "/missing?x=%bb", "/cgi-bin/missing", "/cgi-bin/"]) {
          const { text } = await askUsual(`GET ${path}`);
          assert.ok(!text.includes(pathOf(".")) && !text.includes(root()), text);
        }
      },
    ),
    ...versionCases,
    test(
      "J20",
      "M",
      "error pages: 404, 403, 501, and to HEAD",
      "Content-Length is the length; no body for HEAD, 304",
      async () => {
        for (const request of ["GET /missing", "GET /cgi-bin/", "POST /page.html", "GET /%00"]) {
          const response = await askUsual(request);
          assert.ok(response.status >= 400);
          assert.equal(response.header("content-length"), `${response.body.length}`);
          assert.ok(response.body.length > 0);
        }
        const headed = await askUsual("HEAD /missing");
        expectStatus(headed, 404);
        assert.equal(headed.body.length, 0);
        assert.equal(headed.header("content-length"), `${(await askUsual("GET /missing")).body.length}`);
      },
    ),
    test(
      "J21",
      "T",
      "c:c:c:foo/filename, \\c:../filename, c:\\c:..\\foo/filename",
      "stay inside the root: 404, 400, or 301 to the path without doubled slashes",
      async () => {
        file("secret.txt", "OUTSIDE");
        for (
          const path of [
            "/c:c:c:foo/secret.txt",
            "/\\c:../secret.txt",
            "/c:\\c:..\\foo/secret.txt",
            "/c:/../../secret.txt",
            "/%5c..%5csecret.txt",
          ]
        ) {
          const response = await askUsual(`GET ${path}`);
          expectStatus(response, 301, 400, 404);
          assert.match(response.header("location") ?? "/", /^\/(?!\/)/);
          assert.doesNotMatch(response.text, /OUTSIDE/);
        }
      },
    ),
    test("J22", "C", "GET //page.html, /page.html?a=b", "301 to /page.html; 200", async () => {
      const response = await askUsual("GET //page.html");
      expectStatus(response, 301);
      assert.equal(response.header("location"), "/page.html");
      expectText(await askUsual("GET /page.html?a=b"), "PAGE");
    }),
  ],
});

async function conditions(): Promise<void> {
  const server = await usualServer();
  const modified = (await ask(server, "GET /page.html")).header("last-modified")!;
  const shifted = (seconds: number) => new Date(Date.parse(modified) + seconds * 1000).toUTCString();
  const status = async (...headers: string[]) => (await ask(server, "GET /page.html", headers)).status;
  assert.equal(await status(`If-Modified-Since: ${modified}`), 304);
  assert.equal(await status(`If-Modified-Since: ${shifted(-1000)}`), 200);
  assert.equal(await status(`If-Modified-Since: ${modified}`, 'If-None-Match: "x"'), 200);
  assert.equal(await status("If-None-Match: *"), 304);
  file("site/old.html", "OLD");
  assert.equal(
    (await ask(server, "GET /old.html", [`If-Modified-Since: ${new Date(Date.now() + 1000).toUTCString()}`]))
      .status,
    304,
  );
}

/** Root may read everything: it is asked as another user then. */
async function unreadable(): Promise<void> {
  const directory = freshPath();
  mkdirSync(join(directory, "locked"), { recursive: true });
  writeFileSync(join(directory, "locked", "name.txt"), "x");
  chmodSync(join(directory, "locked"), 0);
  let command: RunningCommand | undefined;
  try {
    const user = process.getuid?.() === 0 ? { user: 65534 } : {};
    command = await startCommand(["0", "--cgi", "--directory", directory], user);
    const response = await askBytes(command.address, toBytes(get("/locked/", "Connection: close")));
    expectStatus(response, 403);
    assert.doesNotMatch(response.text, /name\.txt/);
  } finally {
    await command?.stop();
    chmodSync(join(directory, "locked"), 0o700);
  }
}
