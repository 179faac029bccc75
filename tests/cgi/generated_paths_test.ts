/**
 * Paths that are put together at random from what has ever confused a server: no source of a script and nothing from
 * outside is sent, no script runs under a path that leads up, and every redirect is to a path that is final.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { serve, site } from "../../mod.ts";
import { makeFolder } from "../cli/_folder.ts";
import { exchange } from "../_http.ts";
import { pick, randomNumbers } from "../_random.ts";

const SOURCE = "# SECRET";
const SCRIPT = `#!/bin/sh\n${SOURCE}\nprintf 'Content-Type: text/plain\\n\\nran %s' "$SCRIPT_NAME"\n`;

const outside = makeFolder({ "secret.txt": SOURCE, "evil.cgi": SCRIPT.replace("ran", "EVIL") });
const folder = makeFolder({
  "ok.txt": "ok",
  "d/ok.txt": "ok",
  "d/.well-known/ok.txt": "ok",
  ".dot/ok.txt": "ok",
  "d/link.txt": `-> ${outside.path}/secret.txt`,
  "d/link.cgi": `-> ${outside.path}/evil.cgi`,
  "cgi-bin/a.sh": SCRIPT,
  "cgi-bin/.b/c.sh": SCRIPT,
  "cgi-bin/readme.txt": SOURCE,
  "d/x.cgi": SCRIPT,
});
after(() => {
  folder.remove();
  outside.remove();
});

const PARTS = [
  ...["cgi-bin", "CGI-BIN", "cgi%2dbin", "a.sh", "a.sh.", "a.sh%20", "a.sh%00", ".b", "c.sh", "readme.txt"],
  ...[
    "d",
    "x.cgi",
    "X.CGI",
    "link.txt",
    "link.cgi",
    ".dot",
    ".well-known",
    "ok.txt",
    "evil.cgi",
    "secret.txt",
  ],
  ...["..", ".", "%2e%2e", ".%2E", "...", "..;", "~", "%", "%zz", "%00", "%c0%af", "%e9", "+", "*"],
  outside.path.slice(outside.path.lastIndexOf("/") + 1),
];
const SEPARATORS = ["/", "/", "/", "/", "//", "/./", "%2f", "%5c", "\\", ";", "?", ""];
/** What is there, and detours to it. */
const THERE = [
  "cgi-bin/a.sh",
  "cgi-bin/.b/c.sh",
  "d/x.cgi",
  "d/ok.txt",
  "d/link.txt",
  "cgi-bin/readme.txt",
  "d",
];
const BEFORE = [
  "",
  "",
  "/",
  "./",
  "d/../",
  "d/.well-known/../../",
  ".dot/./../",
  "cgi-bin/.b/../../",
  "%2e/",
  "../",
];
const AFTER = ["", "", "/", "/.", "/..", "/../", "/extra/.x/../..", "%20", ".", "?x=/../", "//", ";x"];
const METHODS = ["GET", "GET", "GET", "HEAD", "POST", "OPTIONS"];

function strangePath(random: () => number): string {
  let path = "/";
  for (let left = 1 + Math.floor(random() * 6); left > 0; left--) {
    path += pick(PARTS, random) + pick(SEPARATORS, random);
  }
  return path;
}

for (const dotfiles of [false, true]) {
  test(`generated paths${dotfiles ? ", names with a dot allowed" : ""}`, async (t) => {
    const handler = site({
      directory: folder.path,
      dotfiles,
      cgi: { directories: ["cgi-bin"], extensions: [".cgi"] },
      log() {},
    });
    const server = await serve({ port: 0, handler, log() {} });
    t.after(async () => {
      await server.close(0);
      await handler.close();
    });
    const random = randomNumbers(dotfiles ? 2 : 1);
    const statuses = new Map<number, number>();
    for (let round = 0; round < 1000; round++) {
      const target = random() < 0.5
        ? `/${pick(BEFORE, random)}${pick(THERE, random)}${pick(AFTER, random)}`
        : strangePath(random);
      const request = `${
        pick(METHODS, random)
      } ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
      const { status, text, header } = await exchange(server.address, request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      assert.ok(!text.includes(SOURCE) && !text.includes("EVIL"), `${request}${text}`);
      assert.ok(status < 500 || status === 501, `${status} ${request}`);
      if (text.startsWith("ran ")) {
        assert.match(text, /^ran \/(?:cgi-bin\/(?:a|\.b\/c)\.sh|d\/x\.cgi)$/, request);
      }
      const location = header("location");
      if (location !== null) {
        assert.match(String(location), /^\/(?![\/\\])/, request);
        assert.doesNotMatch(String(location).replace(/\?.*/, ""), /\/(?:\.|%2e){1,2}(?:\/|$)|\/\//i, request);
      }
    }
    // Else the paths would be too strange to say anything.
    for (const status of [200, 301, 400, 404]) assert.ok((statuses.get(status) ?? 0) >= 5, `${status}`);
  });
}
