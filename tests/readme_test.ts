/** What the README shows is what is in `examples/`, and it runs. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { startCommand } from "./_command.ts";
import { temporaryFolder } from "./programs/_command.ts";

const EXAMPLES = ["examples/library.ts", "examples/hono.ts"];

describe("the README", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  // Below the repository, so that `hono` is found.
  const programs = resolve(`build/readme-${process.pid}`);

  before(async () => {
    folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    await mkdir(join(folder.path, "public"));
    await mkdir(join(folder.path, "cgi-bin/admin"), { recursive: true });
    await mkdir(programs, { recursive: true });
    await writeFile(join(folder.path, "public/index.html"), "<p>A page</p>\n");
    for (const script of ["cgi-bin/hello.sh", "cgi-bin/admin/hello.sh"]) {
      await writeFile(
        join(folder.path, script),
        '#!/bin/sh\necho "Content-Type: text/plain"\necho\necho "Hello from $REMOTE_ADDR"\n',
      );
      await chmod(join(folder.path, script), 0o755);
    }
    await writeFile(
      join(folder.path, "cgi-bin/length.sh"),
      '#!/bin/sh\necho "Content-Type: text/plain"\necho\necho "$(($(wc -c))) of $CONTENT_LENGTH"\n',
    );
    await chmod(join(folder.path, "cgi-bin/length.sh"), 0o755);
  });
  after(async () => {
    await folder.remove();
    await rm(programs, { recursive: true });
  });

  it("shows the examples as they are", async () => {
    const readme = await readFile("README.md", "utf8");
    for (const example of EXAMPLES) {
      assert.ok(readme.includes("```ts\n" + await readFile(example, "utf8") + "```\n"), example);
    }
  });

  it("knows every file that it links to", async () => {
    for (const page of (await readdir(".")).filter((name) => name.endsWith(".md"))) {
      const text = await readFile(page, "utf8");
      for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        await assert.doesNotReject(
          readFile(target!).catch(() => readdir(target!)),
          `${page} links to ${target}`,
        );
      }
    }
  });

  it("names the permissions that Deno needs, and no server needs more", {
    skip: "Deno" in globalThis ? false : "permissions are Deno's",
  }, async () => {
    const readme = await readFile("README.md", "utf8");
    const [, block] = /```sh\ndeno run \\\n([^]*?) jsr:@htbin\/htbin --cgi 8000\n```/.exec(readme)!;
    const permissions = block!.replace(":8000", ":0").split(/[\s\\]+/).filter((flag) => flag !== "");
    const command = await startCommand(["--cgi", "0"], {
      cwd: folder.path,
      permissions: ["--no-prompt", ...permissions],
    });
    try {
      assert.equal(await (await fetch(new URL("public/", command.url))).text(), "<p>A page</p>\n");
      // Large enough to be stored in a file, as its length is not known.
      const body = new Blob([new Uint8Array(200_000)]).stream();
      const init = { method: "POST", body, duplex: "half" };
      const answer = await fetch(new URL("cgi-bin/length.sh", command.url), init as RequestInit);
      assert.equal(await answer.text(), "200000 of 200000\n");
      assert.doesNotMatch(command.stderr(), /--allow-/);
    } finally {
      await command.stop();
    }
  });

  for (const example of EXAMPLES) {
    it(`runs ${example}`, async () => {
      const program = await prepare(example, programs);
      const server = await startExample(program, folder.path);
      const ask = async (path: string) => {
        const response = await fetch(new URL(path, server.url));
        return [response.status, await response.text()];
      };
      try {
        assert.deepEqual(await ask("/status"), [200, '{"ok":true}']);
        assert.deepEqual(await ask("/"), [200, "<p>A page</p>\n"]);
        assert.deepEqual(await ask("/cgi-bin/hello.sh"), [200, "Hello from 127.0.0.1\n"]);
        assert.equal((await ask("/nowhere"))[0], 404);
        assert.equal((await ask("/cgi-bin/nowhere"))[0], 404);
        if (example.includes("hono")) assert.equal((await ask("/cgi-bin/admin/hello.sh"))[0], 401);
      } finally {
        await server.stop();
      }
    });
  }
});

/** Writes the example as a program that this runtime runs from the source, on any free port. */
async function prepare(
  example: string,
  directory: string,
): Promise<readonly [program: string, ...args: string[]]> {
  const compiled = !("Deno" in globalThis || "Bun" in globalThis);
  const modules = { "htbin": "mod.ts", "htbin/hono": "src/hono.ts" };
  let code = (await readFile(example, "utf8")).replace("port: 8000", "port: 0");
  for (const [name, path] of Object.entries(modules)) {
    const file = new URL(`../${compiled ? path.replace(/ts$/, "js") : path}`, import.meta.url);
    code = code.replace(`from "${name}"`, `from "${file}"`);
  }
  const program = join(directory, basename(example).replace(/ts$/, compiled ? "mjs" : "ts"));
  await writeFile(program, code);
  return "Deno" in globalThis ? [process.execPath, "run", "-A", program] : [process.execPath, program];
}

/** Starts an example, and resolves once it has said where it is. */
function startExample(
  [program, ...args]: readonly [program: string, ...args: string[]],
  cwd: string,
): Promise<{ readonly url: string; stop(): Promise<unknown> }> {
  return new Promise((started, failed) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise((done) => child.once("close", done));
    let printed = "";
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`${args.at(-1)} ended with ${code}:\n${printed}`)));
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding("utf8").on("data", (text) => {
        printed += text;
        const [, url] = /^Serving (http:\S+)\n/m.exec(printed) ?? [];
        if (url === undefined) return;
        started({
          url,
          stop() {
            child.kill();
            return ended;
          },
        });
      });
    }
  });
}
