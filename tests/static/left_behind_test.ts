/** Files that are opened for a client that leaves before they are: they are closed again. */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { serve } from "../../src/serve.ts";
import { staticFiles } from "../../src/static/mod.ts";
import { countingFiles } from "../_counting_files.ts";
import { connect, get } from "../_http.ts";
import { temporaryDirectory, until } from "../_runtime.ts";

/** Too large to be kept, and to be answered on the head of a request. */
const LARGE = 2 * 1024 * 1024;

for (const [what, before] of [["first", 0], ["known", 3]] as const) {
  test(`a file that was opened for the ${what} request of a client that has left is closed`, async (t) => {
    const directory = await temporaryDirectory(t);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "large"), "x".repeat(LARGE));
    writeFileSync(join(directory, "small"), "small");
    const fileSystem = countingFiles(10_000);
    let opening: PromiseWithResolve | null = null;
    let gate: Promise<void> = Promise.resolve();
    const server = await serve({
      port: 0,
      handler: staticFiles({
        root: directory,
        fileSystem: {
          ...fileSystem,
          async open(path) {
            if (path.endsWith("large")) {
              opening?.resolve();
              await gate;
            }
            return await fileSystem.open(path);
          },
        },
      }),
      log() {},
    });
    t.after(() => server.close(0));
    const leaving = await connect(server.address);
    const staying = await connect(server.address);
    t.after(() => staying.close());
    for (let count = 0; count < before; count++) {
      await leaving.send(get("/large"));
      assert.equal((await leaving.response()).body.length, LARGE);
    }
    const opens = promise();
    const opened = promise();
    opening = opens;
    gate = opened.promise;
    fileSystem.take();
    await leaving.send(get("/large"));
    await opens.promise;
    leaving.reset();
    // Whatever is asked for later is answered after the server has heard of it.
    for (let count = 0; count < 3; count++) {
      await staying.send(get("/small"));
      assert.equal((await staying.response()).status, 200);
    }
    const { open: soFar = 0, close: closed = 0 } = fileSystem.take();
    assert.equal(soFar, closed);
    opened.resolve();
    await until(() => fileSystem.counts.open === 1 && fileSystem.counts.close === 1, "it is closed");
    assert.equal(fileSystem.counts.readBytes, 0);
  });
}

interface PromiseWithResolve {
  readonly promise: Promise<void>;
  resolve(): void;
}

function promise(): PromiseWithResolve {
  let resolve = () => {};
  return { promise: new Promise<void>((resolved) => resolve = resolved), resolve: () => resolve() };
}
