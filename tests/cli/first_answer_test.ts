/**
 * What of Node is loaded for files: each part of it that is not takes nothing from the time to the first answer.
 * `tests/manifest_test.ts` holds what the command imports, on each runtime.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { startCommand } from "../_command.ts";
import { exchange, get } from "../_http.ts";
import { runtime } from "../_runtime.ts";
import { makeFolder } from "./_folder.ts";

/** Says at the end of a process which parts were loaded. */
const TELL = `process.on("exit", () => {
  require("node:fs").writeFileSync(process.env.PARTS, process.moduleLoadList.join("\\n"));
});`;

/** The least server that is made of the same, and its first answer. */
const LEAST = `import "node:fs"; import "node:util";
import { createServer } from "node:http";
import { connect } from "node:net";
const server = createServer((_request, response) => response.end("hello")).listen(0, "127.0.0.1", () => {
  const socket = connect(server.address().port, "127.0.0.1");
  socket.resume().once("end", () => server.close());
  socket.write("GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n");
});`;

/** What of Node files take beyond that: `module` for a Node that cannot be asked, `vm` for what the command keeps of its code. */
const BEYOND = ["fs/promises", "module", "timers/promises", "v8", "vm"];

test(
  "files are answered without an HTTP client, TLS, HTTP/2, compression or cryptography, and with five parts more than hello",
  {
    skip: runtime.name === "node" ? false : "only Node tells what of it is loaded",
  },
  async (t) => {
    const folder = makeFolder({
      "site/page.html": "PAGE",
      "site/index.html": "INDEX",
      "tell.cjs": TELL,
      "least.mjs": LEAST,
    });
    t.after(folder.remove);
    const parts = join(folder.path, "parts");
    const env = { NODE_OPTIONS: `--require=${join(folder.path, "tell.cjs")}`, PARTS: parts };
    const loadedParts = () => new Set(readFileSync(parts, "utf8").split("\n"));
    await promisify(execFile)(process.execPath, [join(folder.path, "least.mjs")], {
      env: { ...process.env, ...env },
    });
    const least = loadedParts();
    const server = await startCommand(["0", "--directory", join(folder.path, "site")], { env });
    const ask = async (...fields: string[]) =>
      (await exchange(server.address, get("/page.html", ...fields))).status;
    assert.equal((await exchange(server.address, get("/"))).text, "INDEX");
    assert.equal(await ask(), 200);
    assert.equal(await ask("Range: bytes=0-1"), 206);
    assert.equal(await ask("If-Modified-Since: Fri, 31 Dec 2100 00:00:00 GMT"), 304);
    assert.equal((await server.stop()).code, 0);
    const loaded = loadedParts();
    assert.ok(loaded.has("NativeModule http"));
    const others = ["tls", "https", "http2", "zlib", "dns/promises", "internal/crypto/webcrypto"];
    for (const part of ["internal/deps/undici/undici", ...others]) {
      assert.ok(!loaded.has(`NativeModule ${part}`), part);
    }
    const beyond = builtinModules.filter((name) => {
      const part = `NativeModule ${name}`;
      return !name.startsWith("_") && loaded.has(part) && !least.has(part);
    });
    assert.deepEqual(beyond.filter((name) => !BEYOND.includes(name)), []);
  },
);
