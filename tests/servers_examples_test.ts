/** `docs/servers.md` shows what is in `examples/servers/`, and each runs on the runtimes that it is for. */

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { prepareExample, startExample } from "./_example.ts";
import { runtime } from "./_runtime.ts";
import { makeFolder, script } from "./cli/_folder.ts";

/** The runtimes that an example is for. */
const EXAMPLES: Readonly<Record<string, readonly (typeof runtime.name)[]>> = {
  "bun_routes.ts": ["bun"],
  "bun_serve.ts": ["bun"],
  "deno_serve.ts": ["deno"],
  "hono_node_server.ts": ["deno", "bun", "node"],
  "node_http.ts": ["deno", "bun", "node"],
  "srvx.ts": ["deno", "bun", "node"],
};

describe("examples of other servers", () => {
  const page = "<p>A page</p>\n";
  const folder = makeFolder({
    "index.html": page,
    "public/index.html": page,
    "cgi-bin/hello.sh": script('echo "Hello, $REMOTE_ADDR, from $SCRIPT_NAME"'),
  });
  // Below the repository, so that the servers are found.
  const programs = resolve(`build/servers-${process.pid}`);

  before(() => mkdir(programs, { recursive: true }));
  after(async () => {
    folder.remove();
    await rm(programs, { recursive: true });
  });

  it("are all here", async () => {
    assert.deepEqual((await readdir("examples/servers")).sort(), Object.keys(EXAMPLES));
  });

  it("are shown as they are", async () => {
    const text = await readFile("docs/servers.md", "utf8");
    for (const example of Object.keys(EXAMPLES)) {
      assert.ok(
        text.includes("```ts\n" + await readFile(`examples/servers/${example}`, "utf8") + "```\n"),
        example,
      );
    }
  });

  for (const [example, runtimes] of Object.entries(EXAMPLES)) {
    it(`run: ${example}`, {
      skip: runtimes.includes(runtime.name) ? false : `for ${runtimes.join(", ")}`,
    }, async () => {
      const program = await prepareExample(`examples/servers/${example}`, programs);
      const server = await startExample(program, folder.path);
      const ask = async (path: string) => {
        const response = await fetch(new URL(path, server.url));
        return [response.status, await response.text()];
      };
      try {
        assert.deepEqual(await ask("/"), [200, page]);
        assert.deepEqual(await ask("/cgi-bin/hello.sh"), [200, "Hello, 127.0.0.1, from /cgi-bin/hello.sh\n"]);
        assert.equal((await ask("/nowhere"))[0], 404);
        assert.equal((await ask("/cgi-bin/nowhere"))[0], 404);
        assert.equal((await ask("/cgi-bin%2Fhello.sh"))[0], 404);
      } finally {
        await server.stop();
      }
    });
  }
});
