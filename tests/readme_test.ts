/** What the README shows is what is in `examples/`, and it runs. */

import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { startCommand } from "./_command.ts";
import { prepareExample, startExample } from "./_example.ts";
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
      const program = await prepareExample(example, programs);
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
