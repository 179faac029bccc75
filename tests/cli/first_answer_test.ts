/**
 * What of Node is loaded for files: each part of it that is not takes nothing from the time to the first answer.
 * `tests/manifest_test.ts` holds what the command imports, on each runtime.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startCommand } from "../_command.ts";
import { exchange, get } from "../_http.ts";
import { runtime } from "../_runtime.ts";
import { makeFolder } from "./_folder.ts";

/** Says at the end which parts were loaded. */
const TELL = `process.on("exit", () => {
  require("node:fs").writeFileSync(process.env.PARTS, process.moduleLoadList.join("\\n"));
});`;

test("files are answered without an HTTP client, TLS, HTTP/2 or compression", {
  skip: runtime.name === "node" ? false : "only Node tells what of it is loaded",
}, async (t) => {
  const folder = makeFolder({ "site/page.html": "PAGE", "site/index.html": "INDEX", "tell.cjs": TELL });
  t.after(folder.remove);
  const parts = join(folder.path, "parts");
  const server = await startCommand(["0", "--directory", join(folder.path, "site")], {
    env: { NODE_OPTIONS: `--require=${join(folder.path, "tell.cjs")}`, PARTS: parts },
  });
  const ask = async (...fields: string[]) =>
    (await exchange(server.address, get("/page.html", ...fields))).status;
  assert.equal((await exchange(server.address, get("/"))).text, "INDEX");
  assert.equal(await ask(), 200);
  assert.equal(await ask("Range: bytes=0-1"), 206);
  assert.equal(await ask("If-Modified-Since: Fri, 31 Dec 2100 00:00:00 GMT"), 304);
  assert.equal((await server.stop()).code, 0);
  const loaded = new Set(readFileSync(parts, "utf8").split("\n"));
  assert.ok(loaded.has("NativeModule http"));
  for (const part of ["internal/deps/undici/undici", "tls", "https", "http2", "zlib", "dns/promises"]) {
    assert.ok(!loaded.has(`NativeModule ${part}`), part);
  }
});
