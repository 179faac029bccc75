/** Files that an operator has named are neither served nor listed. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hiddenPaths } from "../../src/static/hidden.ts";
import { siteOf } from "./_handler.ts";

describe("staticFiles({ hide })", () => {
  const tree = {
    "/site/hello.txt": "hello",
    "/site/notes.txt": "SECRET",
    "/site/sub/notes.txt": "SECRET",
    "/site/sub/keys/a.pem": "SECRET",
    "/site/keys/a.pem": "public",
    "/site/link.txt": { link: "notes.txt" },
    "/site/linkdir": { link: "sub/keys" },
    "/site/notes.txt.more": "more",
  };
  const site = siteOf(tree, { hide: ["notes.txt", "/sub/keys"], listing: true, index: [] });

  it("answers 404 for a name wherever it is, for a path, and for links to them", async () => {
    for (
      const path of [
        "/notes.txt",
        "/NOTES.TXT",
        "/notes.txt.",
        "/notes%2Etxt",
        "/./notes.txt",
        "/sub/notes.txt",
        "/sub/keys",
        "/sub/keys/",
        "/sub/keys/a.pem",
        "/link.txt",
        "/linkdir/a.pem",
      ]
    ) assert.equal(await site.status(path), 404, path);
  });

  it("serves what has another name or path", async () => {
    for (const path of ["/hello.txt", "/keys/a.pem", "/notes.txt.more"]) {
      assert.equal(await site.status(path), 200, path);
    }
  });

  it("lists neither", async () => {
    const listed = async (path: string) => {
      const page = await (await site.get(path)).text();
      return Array.from(page.matchAll(/<td><a href="([^"]+)"/g), ([, href]) => href).sort();
    };
    assert.deepEqual(await listed("/"), ["hello.txt", "keys/", "notes.txt.more", "sub/"]);
    assert.deepEqual((await listed("/sub/")).filter((href) => href !== "../"), []);
  });
});

describe("hiddenPaths() refuses", () => {
  for (const given of ["", "/", ".", "..", "a/../b", "a//b"]) {
    it(JSON.stringify(given), () => assert.throws(() => hiddenPaths([given]), TypeError));
  }
});
