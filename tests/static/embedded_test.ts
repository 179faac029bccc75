/**
 * The example of a site in one executable, built by `bun build --compile` and run. (`deno compile` takes the same
 * module, but downloads its runtime first.)
 *
 * @module
 */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";

const BUN = resolve("node_modules/.bin/bun");

/** Copies the example, with this repository's source in place of the package's name, and builds it. */
function build(folder: string): string {
  cpSync("examples/embedded", folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".ts")) continue;
    const path = join(folder, name);
    writeFileSync(
      path,
      readFileSync(path, "utf8")
        .replace('"htbin"', JSON.stringify(resolve("mod.ts")))
        .replace('"htbin/runtime"', JSON.stringify(resolve("src/runtime.ts"))),
    );
  }
  const options: { cwd: string; encoding: "utf8"; stdio: ["ignore", "pipe", "pipe"] } = {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  };
  writeFileSync(join(folder, "files.ts"), execFileSync(BUN, ["embed.ts", "public"], options));
  // package.json declares what has side effects in dist/; this is the source.
  const command = ["build", "--compile", "--ignore-dce-annotations", "main.ts", "--outfile", "site"];
  execFileSync(BUN, command, options);
  rmSync(join(folder, "public"), { recursive: true });
  return join(folder, process.platform === "win32" ? "site.exe" : "site");
}

async function start(program: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = spawn(program, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (data) => {
      output += data;
      const match = /Serving (\S+)\n/.exec(output);
      if (match !== null) resolve(match[1] as string);
    });
    child.once("exit", () => reject(new Error(`It ended: ${output}`)));
  });
  return {
    url,
    stop() {
      child.kill("SIGKILL");
      return exited;
    },
  };
}

describe("the example of an embedded site", () => {
  it("serves its files from inside the executable", async () => {
    const folder = mkdtempSync(join(tmpdir(), "htbin-embedded-"));
    try {
      const { url, stop } = await start(build(folder));
      try {
        const page = await fetch(url);
        assert.equal(page.status, 200);
        assert.equal(await page.text(), readFileSync("examples/embedded/public/index.html", "utf8"));
        const tag = page.headers.get("etag");
        assert.ok(tag);
        assert.equal((await fetch(url, { headers: { "if-none-match": tag } })).status, 304);
        const part = await fetch(`${url}style.css`, { headers: { range: "bytes=0-4" } });
        assert.equal(part.status, 206);
        assert.equal(await part.text(), ":root");
        assert.equal(part.headers.get("content-type"), "text/css; charset=utf-8");
        assert.equal((await fetch(`${url}nope`)).status, 404);
      } finally {
        await stop();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
