/**
 * A folder that is replaced by a link between the decision about a path and the opening of the file.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import "../../adapters/auto.ts";
import { currentRuntime, type FileSystem } from "../../src/runtime.ts";
import { staticFiles } from "../../src/static/mod.ts";
import { removeSiteFixture, siteFixture } from "./_site_fixture.ts";

const skip = process.platform === "linux" ? false : "only Linux tells where an open file is";

after(removeSiteFixture);

/** Files as they are, with a chance to act between `realPath()` and what follows it. */
function interrupted(act: (path: string) => void): FileSystem {
  const { files } = currentRuntime();
  return {
    ...files,
    async realPath(path) {
      const real = await files.realPath(path);
      act(path);
      return real;
    },
  };
}

function get(handler: ReturnType<typeof staticFiles>, path: string) {
  return handler(new Request(`http://localhost${path}`));
}

describe("a folder replaced by a link while a file in it is looked up", { skip }, () => {
  it("shows nothing of what is outside of the root", async () => {
    const root = siteFixture().scratch();
    const outside = siteFixture().scratch();
    writeFileSync(join(outside, "f.txt"), "secret");
    mkdirSync(join(root, "sub"));
    writeFileSync(join(root, "sub", "f.txt"), "public");
    const handler = staticFiles({
      root,
      log: () => {},
      fileSystem: interrupted((path) => {
        if (!path.endsWith("f.txt")) return;
        rmSync(join(root, "sub"), { recursive: true });
        symlinkSync(outside, join(root, "sub"));
      }),
    });
    const response = await get(handler, "/sub/f.txt");
    assert.equal(response?.status, 404);
    assert.doesNotMatch(await response?.text() ?? "", /secret/);
  });

  it("shows nothing that way while it goes back and forth", async () => {
    const root = siteFixture().scratch();
    const outside = siteFixture().scratch();
    writeFileSync(join(outside, "f.txt"), "secret");
    mkdirSync(join(root, "sub"));
    writeFileSync(join(root, "sub", "f.txt"), "public");
    symlinkSync(outside, join(root, "link"));
    const swap = (a: string, b: string) => {
      renameSync(join(root, a), join(root, "third"));
      renameSync(join(root, b), join(root, a));
      renameSync(join(root, "third"), join(root, b));
    };
    const { files } = currentRuntime();
    const messages: string[] = [];
    const handler = staticFiles({
      root,
      log: (event) => event.type === "message" && messages.push(event.message),
      fileSystem: {
        ...files,
        async open(path) {
          swap("sub", "link");
          const file = await files.open(path);
          swap("sub", "link");
          return file;
        },
      },
    });
    const response = await get(handler, "/sub/f.txt");
    assert.equal(response?.status, 503);
    assert.doesNotMatch(await response?.text() ?? "", /secret/);
    assert.match(messages.join("\n"), /has just come to lead elsewhere/);
  });

  it("lists nothing of what is outside of the root", async () => {
    const root = siteFixture().scratch();
    const outside = siteFixture().scratch();
    mkdirSync(join(root, "sub"));
    for (const [folder, content] of [[outside, "secret"], [join(root, "sub"), "public"]] as const) {
      for (let file = 0; file < 100; file++) writeFileSync(join(folder, `${file}`), content);
    }
    const { files } = currentRuntime();
    const handler = staticFiles({
      root,
      listing: true,
      log: () => {},
      fileSystem: {
        ...files,
        filesIn(directory, names) {
          rmSync(join(root, "sub"), { recursive: true });
          symlinkSync(outside, join(root, "sub"));
          return files.filesIn!(directory, names);
        },
      },
    });
    const request = new Request("http://localhost/sub/", { headers: { accept: "application/json" } });
    const response = await handler(request);
    assert.deepEqual(await response?.json(), []);
  });

  it("serves a file that another one replaces in that moment", async () => {
    const root = siteFixture().scratch();
    writeFileSync(join(root, "f.txt"), "old");
    const { files } = currentRuntime();
    const handler = staticFiles({
      root,
      fileSystem: {
        ...files,
        async open(path) {
          const file = await files.open(path);
          writeFileSync(join(root, "new"), "new");
          renameSync(join(root, "new"), path);
          return file;
        },
      },
    });
    const response = await get(handler, "/f.txt");
    assert.equal(response?.status, 200);
    assert.equal(await response?.text(), "old");
  });
});
