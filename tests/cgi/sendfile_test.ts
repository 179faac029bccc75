/** X-Sendfile: a file in the place of a script's body. */

import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { cgi } from "../../src/cgi/mod.ts";
import type { RawResponse } from "../_http.ts";
import { type Served, type ServedOptions, serveShell } from "./_served.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "htbin-sendfile-")));
const allowed = join(directory, "allowed");
const LARGE = "0123456789".repeat(20_000);
let served: Served;

/** Serves a script that wants this file sent. */
async function sending(path: string, headers = "", options: ServedOptions = {}): Promise<Served> {
  return served = await serveShell(`printf '%s\\n${headers}\\n' 'X-Sendfile: ${path}'; echo ignored`, {
    sendfile: [allowed],
    ...options,
  });
}

async function send(path: string, headers = ""): Promise<RawResponse> {
  await sending(path, headers);
  const response = await served.get();
  await served.close();
  return response;
}

before(() => {
  mkdirSync(allowed);
  writeFileSync(join(allowed, "a.txt"), "0123456789");
  writeFileSync(join(allowed, "\u00fcber.html"), "<p>");
  writeFileSync(join(allowed, "large.bin"), LARGE);
  writeFileSync(join(directory, "secret.txt"), "secret");
  mkdirSync(join(directory, "allowed-not"));
  writeFileSync(join(directory, "allowed-not", "x"), "secret");
  symlinkSync(join(directory, "secret.txt"), join(allowed, "link"));
  symlinkSync(join(allowed, "a.txt"), join(allowed, "inner"));
  const past = new Date("2024-01-02T03:04:05Z");
  utimesSync(join(allowed, "a.txt"), past, past);
});
afterEach(() => served?.close());
after(() => rmSync(directory, { recursive: true }));

describe("X-Sendfile", () => {
  it("sends the file with its type and validators, and the script's headers", async () => {
    const response = await send(join(allowed, "a.txt"), "X-Own: 1\\nSet-Cookie: a=1\\nSet-Cookie: b=2\\n");
    assert.equal(response.status, 200);
    assert.equal(response.text, "0123456789");
    assert.equal(response.header("content-length"), "10");
    assert.equal(response.header("content-type"), "text/plain; charset=utf-8");
    assert.equal(response.header("last-modified"), "Tue, 02 Jan 2024 03:04:05 GMT");
    assert.equal(response.header("x-own"), "1");
    assert.equal(response.header("set-cookie"), "a=1 | b=2");
    assert.equal(response.header("x-sendfile"), null);
    assert.match(response.header("etag") ?? "", /^"/);
  });

  it("leaves the script its type, and the file its validators", async () => {
    const response = await send(
      join(allowed, "a.txt"),
      'Content-Type: image/png\\nETag: "mine"\\nContent-Length: 3\\nContent-Encoding: gzip\\n',
    );
    assert.equal(response.header("content-type"), "image/png");
    assert.notEqual(response.header("etag"), '"mine"');
    assert.equal(response.header("content-encoding"), null);
    assert.equal(response.text, "0123456789");
  });

  it("sends parts of it", async () => {
    await sending(join(allowed, "a.txt"));
    const part = await served.get("/", "Range: bytes=2-4");
    assert.deepEqual([part.status, part.text, part.header("content-range")], [206, "234", "bytes 2-4/10"]);
    const beyond = await served.get("/", "Range: bytes=20-");
    assert.deepEqual([beyond.status, beyond.header("content-range")], [416, "bytes */10"]);
  });

  it("answers conditions for it", async () => {
    await sending(join(allowed, "a.txt"));
    const etag = (await served.get()).header("etag");
    assert.equal((await served.get("/", `If-None-Match: ${etag}`)).status, 304);
    assert.equal((await served.get("/", 'If-Match: "other"')).status, 412);
  });

  it("sends a large one", async () => {
    assert.equal((await send(join(allowed, "large.bin"))).text, LARGE);
  });

  it("takes a name that is not ASCII for UTF-8", async () => {
    const response = await send(join(allowed, "\u00fcber.html"));
    assert.deepEqual([response.status, response.text], [200, "<p>"]);
    assert.equal(response.header("content-type"), "text/html; charset=utf-8");
  });

  it("follows a link that stays inside", async () => {
    assert.equal((await send(join(allowed, "inner"))).text, "0123456789");
  });

  for (
    const [name, path, status] of [
      ["a file outside", join(directory, "secret.txt"), 403],
      ["a way out", `${allowed}/../secret.txt`, 403],
      ["a folder with a longer name", join(directory, "allowed-not", "x"), 403],
      ["a link that leads out", join(allowed, "link"), 403],
      ["the password file", "/etc/passwd", 403],
      ["a file that is not there", join(allowed, "nothing"), 404],
      ["a folder", allowed, 404],
      ["a device", "/dev/null", 403],
      ["a relative name", "a.txt", 502],
    ] as const
  ) {
    it(`answers ${status} for ${name}`, async () => {
      const response = await send(path);
      assert.equal(response.status, status);
      assert.doesNotMatch(response.text, /secret|root:|ignored|htbin-sendfile/);
    });
  }

  it("is refused where no folder is named", async () => {
    await sending(join(allowed, "a.txt"), "", { sendfile: [] });
    assert.equal((await served.get()).status, 502);
    await served.message(/the option sendfile names no folder/);
  });

  it("needs absolute folders", () => {
    assert.throws(() => cgi({ root: directory, sendfile: ["files"] }), {
      name: "TypeError",
      message: 'Cannot use "files" in the option sendfile: it must be an absolute path',
    });
  });
});
