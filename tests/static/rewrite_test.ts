/** The operator's own ways from a path to a file, and from a file to its type. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { staticFiles, type StaticOptions } from "../../mod.ts";
import { makeFolder } from "../cli/_folder.ts";

const folder = makeFolder({
  "root/one.test/index.html": "ONE",
  "root/two.test/index.html": "TWO",
  "root/two.test/sub/a.txt": "A",
  "root/.hidden": "HIDDEN",
  "outside.txt": "OUTSIDE",
});
after(folder.remove);

async function ask(
  options: Omit<StaticOptions, "root">,
  path: string,
): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }> {
  const handler = staticFiles({ root: `${folder.path}/root`, log() {}, ...options });
  const response = await handler(new Request(`http://two.test${path}`)) as Response;
  return { status: response.status, text: await response.text(), headers: response.headers };
}

test("a path is answered with the file of another one", async () => {
  const rewrite = (path: string, { url }: Request) => `/${new URL(url).hostname}${path}`;
  assert.equal((await ask({ rewrite }, "/")).text, "TWO");
  assert.equal((await ask({ rewrite }, "/sub/a.txt")).text, "A");
  // The client stays under the path that it knows.
  assert.equal((await ask({ rewrite, listing: true }, "/sub?x")).headers.get("location"), "/sub/?x");
  const listing = await ask({ rewrite, listing: true }, "/sub/");
  assert.match(listing.text, /<title>[^<]*\/sub\//);
  assert.doesNotMatch(listing.text, /two\.test/);
  assert.equal((await ask({ rewrite, mount: "/m" }, "/m/sub/a.txt")).text, "A");
});

test("what is not there stays so: null, hidden names, ways out", async () => {
  assert.equal((await ask({ rewrite: () => null }, "/")).status, 404);
  for (const path of ["/.hidden", "/../outside.txt", "..", "/one.test/../../outside.txt", "/a\0b", "/none"]) {
    assert.equal((await ask({ rewrite: () => path }, "/x")).status, 404, path);
  }
});

test("two hosts never get each other's answer, however often they ask", async () => {
  const rewrite = (path: string, { url }: Request) => `/${new URL(url).hostname}${path}`;
  const handler = staticFiles({ root: `${folder.path}/root`, rewrite, log() {} });
  for (let round = 0; round < 3; round++) {
    for (const [host, text] of [["one.test", "ONE"], ["two.test", "TWO"]]) {
      const response = await handler(new Request(`http://${host}/`));
      assert.equal(await response?.text(), text);
    }
  }
  assert.equal(handler.atOnce?.({ method: "GET", target: "/", headers: new Headers() }, {}), "later");
});

test("a function says the types of files, and leaves the rest to the table", async () => {
  const types = (name: string) => name.startsWith("a.") ? "text/x-first" : undefined;
  assert.equal(
    (await ask({ types }, "/two.test/sub/a.txt")).headers.get("content-type"),
    "text/x-first; charset=utf-8",
  );
  assert.equal((await ask({ types }, "/two.test/")).headers.get("content-type"), "text/html; charset=utf-8");
});

test("a type that cannot be sent is an error in the log, and no header", async () => {
  const lines: string[] = [];
  const { status } = await ask({
    types: () => "text/html\r\nset-cookie: a",
    log: (event) => lines.push(event.type === "message" ? event.message : ""),
  }, "/two.test/");
  assert.equal(status, 500);
  assert.match(lines[0] ?? "", /Cannot use "text\/html/);
});
