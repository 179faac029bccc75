/**
 * Answers from memory: given only while everything they depend on is as it was, and bounded.
 *
 * Files look older here than they are, so that they are kept at once: what a young file does is a test of its own.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { PreparedResponse } from "../../src/at_once.ts";
import type { Connection, Handler } from "../../src/handler.ts";
import type { FileSystem } from "../../src/runtime.ts";
import { route } from "../../src/router.ts";
import { site } from "../../src/site.ts";
import { staticFiles } from "../../src/static/mod.ts";
import type { StaticOptions } from "../../src/static/options.ts";
import { type CountingFiles, countingFiles } from "../_counting_files.ts";
import { temporaryDirectory, until } from "../_runtime.ts";

const OLD = new Date("2024-01-02T03:04:05.678Z");

/** Files by path; they are old. */
function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, content);
    utimesSync(file, OLD, OLD);
  }
}

/** What is answered at once; `null` when the handler itself has to be asked. */
function atOnce(
  handler: Handler,
  target: string,
  headers: Record<string, string> = {},
  method = "GET",
  connection: Connection = {},
): PreparedResponse | null {
  const answer = handler.atOnce?.({ method, target, headers: new Headers(headers) }, connection);
  return typeof answer === "object" && !(answer instanceof Promise) ? answer : null;
}

async function ask(
  handler: Handler,
  target: string,
  headers: Record<string, string> = {},
  method = "GET",
  connection: Connection = {},
): Promise<Response> {
  const request = new Request(`http://localhost${target}`, { method, headers });
  return await handler(request, connection) as Response;
}

function text({ body }: PreparedResponse): string {
  return new TextDecoder().decode(body ?? new Uint8Array());
}

interface Folder {
  readonly root: string;
  readonly files: CountingFiles;
  readonly handler: Handler;
}

async function folder(
  t: TestContext,
  tree: Readonly<Record<string, string>>,
  options: Partial<StaticOptions> = {},
): Promise<Folder> {
  const root = join(await temporaryDirectory(t), "root");
  mkdirSync(root);
  write(root, tree);
  const fileSystem = countingFiles(10_000);
  return { root, files: fileSystem, handler: staticFiles({ root, fileSystem, log() {}, ...options }) };
}

/** Waits until what is changed now gets another date than `path` has. */
async function nextDate(path: string): Promise<void> {
  const { ctimeMs } = statSync(path);
  const probe = `${path}.probe`;
  await until(() => {
    writeFileSync(probe, "");
    const later = statSync(probe).ctimeMs > ctimeMs;
    rmSync(probe);
    return later;
  }, "the clock of the file system moves");
}

describe("an answer from memory", () => {
  it("equals the ordinary one, whatever is asked", async (t) => {
    const { handler } = await folder(t, {
      "a.html": "<p>a</p>".repeat(300),
      "a.html.gz": "GZ",
      "index.html": "INDEX",
      "sub/index.htm": "SUB",
      "x.bin": "\0\x01",
      "page.html": "PAGE",
      "empty.css": "",
    }, { precompressed: true, cleanUrls: true, cache: { immutable: ["*.bin"] } });
    const paths = ["/", "/?q=1", "/sub/", "/x.bin", "/page", "/empty.css", "/a", "/x.bin?y#z"];
    const etag = (await ask(handler, "/x.bin")).headers.get("etag") as string;
    const headers: Record<string, string>[] = [
      {},
      { "accept-encoding": "gzip, deflate, br" },
      { "accept-encoding": "identity" },
      { "if-none-match": etag },
      { "if-none-match": `W/${etag}, "x"` },
      { "if-none-match": "*" },
      { "if-modified-since": "Tue, 02 Jan 2024 03:04:05 GMT" },
      { "if-modified-since": "Tue, 02 Jan 2024 03:04:04 GMT" },
      { "if-modified-since": "nonsense" },
      { "if-match": "*" },
      { "if-match": '"other"' },
      { "if-unmodified-since": "Mon, 01 Jan 2024 00:00:00 GMT" },
      { "range": "bytes=0-0" },
      { "if-range": etag, "range": "bytes=0-0" },
    ];
    let compared = 0;
    for (const path of paths) {
      for (const fields of headers) {
        for (const method of ["GET", "HEAD"]) {
          await ask(handler, path, { "accept-encoding": fields["accept-encoding"] ?? "" });
          const expected = await ask(handler, path, fields, method);
          let answer = atOnce(handler, path, fields, method);
          if (answer === null) {
            // Where the folder is, is asked once a second: this may have been that time.
            await ask(handler, path, { "accept-encoding": fields["accept-encoding"] ?? "" });
            answer = atOnce(handler, path, fields, method);
          }
          if (answer === null) {
            assert.ok(
              "range" in fields || expected.status === 412,
              `${method} ${path} ${JSON.stringify(fields)} is answered at once`,
            );
            continue;
          }
          compared++;
          assert.equal(answer.status, expected.status);
          assert.deepEqual({ ...answer.headers }, Object.fromEntries(expected.headers));
          assert.equal(text(answer), await expected.text());
        }
      }
    }
    assert.ok(compared > 150, `${compared} answers were compared`);
  });

  it("is not given before the ordinary one, nor for anything but a file", async (t) => {
    const { handler } = await folder(t, { "a.txt": "a", "sub/x": "x" }, { listing: true, spa: "a.txt" });
    const paths = ["/a.txt", "/sub", "/sub/", "/none", "/none.txt", "//a.txt", "/%61.txt", "/sub/../a.txt"];
    for (const path of paths) assert.equal(atOnce(handler, path), null);
    for (const path of paths) await ask(handler, path, { accept: "text/html" });
    for (const path of paths.slice(1)) {
      assert.equal(atOnce(handler, path, { accept: "text/html" }), null, path);
    }
    assert.equal(atOnce(handler, "/a.txt")?.status, 200);
  });

  it("knows one mount from another", async (t) => {
    const { handler } = await folder(t, { "a.txt": "upper", "m/a.txt": "lower" });
    const routed = route([["/m/*", handler], ["/*", handler]]);
    assert.equal(await (await ask(routed, "/m/a.txt")).text(), "upper");
    assert.equal(text(atOnce(routed, "/m/a.txt") as PreparedResponse), "upper");
    assert.equal(atOnce(handler, "/m/a.txt"), null);
    assert.equal(await (await ask(handler, "/m/a.txt")).text(), "lower");
    assert.equal(atOnce(routed, "/m/a.txt"), null);
    assert.equal(text(atOnce(handler, "/m/a.txt") as PreparedResponse), "lower");
  });

  it("is not given where scripts may be", async (t) => {
    const root = await temporaryDirectory(t);
    write(root, { "a.txt": "a", "b.cgi.txt": "b" });
    const fileSystem = countingFiles(10_000);
    const handler = site({ directory: root, cgi: { extensions: [".txt"] }, fileSystem, log() {} });
    await ask(handler, "/a.txt");
    assert.equal(atOnce(handler, "/a.txt"), null);
    const other = site({ directory: root, cgi: { extensions: [".cgi"] }, fileSystem, log() {} });
    await ask(other, "/a.txt");
    assert.equal(atOnce(other, "/a.txt")?.status, 200);
    await handler.close();
    await other.close();
  });
});

/** Something that happens to the folder, and what `/sub/a.txt` answers from then on. */
const CHANGES: Readonly<Record<string, (root: string, outside: string) => [status: number, body?: string]>> =
  {
    "the file is rewritten": (root) => {
      writeFileSync(join(root, "sub/a.txt"), "other");
      return [200, "other"];
    },
    "the file is rewritten with the same size and date": (root) => {
      write(root, { "sub/a.txt": "OTHER" });
      return [200, "OTHER"];
    },
    "another file of the same size and date takes its name": (root, outside) => {
      write(outside, { "b.txt": "OTHER" });
      renameSync(join(outside, "b.txt"), join(root, "sub/a.txt"));
      return [200, "OTHER"];
    },
    "the file is removed": (root) => {
      rmSync(join(root, "sub/a.txt"));
      return [404];
    },
    "the file becomes a folder": (root) => {
      rmSync(join(root, "sub/a.txt"));
      mkdirSync(join(root, "sub/a.txt"));
      return [404];
    },
    "the file becomes a link to itself, outside": (root, outside) => {
      renameSync(join(root, "sub/a.txt"), join(outside, "a.txt"));
      symlinkSync(join(outside, "a.txt"), join(root, "sub/a.txt"));
      return [404];
    },
    "its folder becomes a link to itself, outside": (root, outside) => {
      renameSync(join(root, "sub"), join(outside, "sub"));
      symlinkSync(join(outside, "sub"), join(root, "sub"));
      return [404];
    },
    "its folder becomes a link to itself, hidden": (root) => {
      renameSync(join(root, "sub"), join(root, ".sub"));
      symlinkSync(".sub", join(root, "sub"));
      return [404];
    },
    "its folder is replaced by another": (root) => {
      renameSync(join(root, "sub"), join(root, "old"));
      write(root, { "sub/a.txt": "OTHER" });
      return [200, "OTHER"];
    },
    "the root is replaced by another": (root) => {
      renameSync(root, `${root}.old`);
      write(root, { "sub/a.txt": "OTHER" });
      return [200, "OTHER"];
    },
    "the file is given another name as well, and then only that": (root) => {
      linkSync(join(root, "sub/a.txt"), join(root, "b.txt"));
      rmSync(join(root, "sub/a.txt"));
      return [404];
    },
  };

describe("an answer from memory is never out of date", () => {
  for (const [what, change] of Object.entries(CHANGES)) {
    it(what, async (t) => {
      const { root, handler } = await folder(t, { "sub/a.txt": "first" });
      const outside = await temporaryDirectory(t);
      await nextDate(join(root, "sub/a.txt"));
      await ask(handler, "/sub/a.txt");
      assert.equal(text(atOnce(handler, "/sub/a.txt") as PreparedResponse), "first");
      const [status, body] = change(root, outside);
      assert.equal(atOnce(handler, "/sub/a.txt"), null);
      const response = await ask(handler, "/sub/a.txt");
      assert.equal(response.status, status);
      if (body !== undefined) assert.equal(await response.text(), body);
    });
  }

  it("an index that comes before", async (t) => {
    const { root, handler } = await folder(t, { "index.htm": "second" });
    await ask(handler, "/");
    assert.equal(text(atOnce(handler, "/") as PreparedResponse), "second");
    write(root, { "index.html": "first" });
    assert.equal(atOnce(handler, "/"), null);
    assert.equal(await (await ask(handler, "/")).text(), "first");
  });

  it("a file that comes before a clean URL's page", async (t) => {
    const { root, handler } = await folder(t, { "a.html": "PAGE" }, { cleanUrls: true });
    await ask(handler, "/a");
    assert.equal(text(atOnce(handler, "/a") as PreparedResponse), "PAGE");
    write(root, { "a": "FILE" });
    assert.equal(atOnce(handler, "/a"), null);
    assert.equal(await (await ask(handler, "/a")).text(), "FILE");
  });

  it("a compressed form that comes, changes and goes", async (t) => {
    const { root, handler } = await folder(t, { "a.css": "PLAIN" }, { precompressed: true });
    const headers = { "accept-encoding": "gzip" };
    const path = join(root, "a.css.gz");
    async function expect(body: string): Promise<void> {
      assert.equal(atOnce(handler, "/a.css", headers), null);
      assert.equal(await (await ask(handler, "/a.css", headers)).text(), body);
      assert.equal(text(atOnce(handler, "/a.css", headers) as PreparedResponse), body);
      assert.equal(await (await ask(handler, "/a.css")).text(), "PLAIN");
      assert.equal(text(atOnce(handler, "/a.css") as PreparedResponse), "PLAIN");
    }
    await expect("PLAIN");
    write(root, { "a.css.gz": "first" });
    await expect("first");
    await nextDate(path);
    write(root, { "a.css.gz": "other" });
    await expect("other");
    utimesSync(path, new Date(0), new Date(0));
    await expect("PLAIN");
    rmSync(path);
    await expect("PLAIN");
  });

  it("a file that may not be read any more", async (t) => {
    const { root, handler } = await folder(t, { "a.txt": "a" });
    await nextDate(join(root, "a.txt"));
    await ask(handler, "/a.txt");
    assert.notEqual(atOnce(handler, "/a.txt"), null);
    chmodSync(join(root, "a.txt"), 0o000);
    assert.equal(atOnce(handler, "/a.txt"), null);
  });

  it("a root that becomes another, as a link", async (t) => {
    const parent = await temporaryDirectory(t);
    write(parent, { "v1/a.txt": "one", "v2/a.txt": "two" });
    const root = join(parent, "current");
    symlinkSync("v1", root);
    const handler = staticFiles({ root, fileSystem: countingFiles(10_000), log() {} });
    await ask(handler, "/a.txt");
    assert.equal(text(atOnce(handler, "/a.txt") as PreparedResponse), "one");
    symlinkSync("v2", `${root}.new`);
    renameSync(`${root}.new`, root);
    assert.equal(atOnce(handler, "/a.txt"), null);
    assert.equal(await (await ask(handler, "/a.txt")).text(), "two");
  });

  it("a file that was changed a moment ago is not kept", async (t) => {
    const root = await temporaryDirectory(t);
    write(root, { "a.txt": "a" });
    for (const [age, isKept] of [[1900, false], [2500, true]] as const) {
      const files = countingFiles();
      const fileSystem: FileSystem = {
        ...files,
        observe(path) {
          const seen = files.observe?.(path) ?? null;
          return seen && { ...seen, changedMs: Date.now() - age };
        },
      };
      const handler = staticFiles({ root, fileSystem, log() {} });
      await ask(handler, "/a.txt");
      assert.equal(atOnce(handler, "/a.txt") !== null, isKept, `${age} ms`);
    }
    const young = await folder(t, {});
    writeFileSync(join(young.root, "a.txt"), "a");
    await ask(young.handler, "/a.txt");
    assert.equal(atOnce(young.handler, "/a.txt"), null);
  });

  it("unless a while of it is asked for", async (t) => {
    const { root, files, handler } = await folder(t, { "a.txt": "one" }, { memory: { trustMs: 60_000 } });
    await ask(handler, "/a.txt");
    files.take();
    writeFileSync(join(root, "a.txt"), "other");
    assert.equal(text(atOnce(handler, "/a.txt") as PreparedResponse), "one");
    assert.deepEqual(files.take(), {});
  });
});

describe("the memory is bounded", () => {
  const KIB = 1024;

  it("by the bytes of all, with those kept that are of use", async (t) => {
    const names = Array.from({ length: 20 }, (_, index) => `${index}.bin`);
    const tree = Object.fromEntries(names.map((name) => [name, "x".repeat(10 * KIB)]));
    const { handler } = await folder(t, tree, { memory: { maxBytes: 100 * KIB } });
    for (const name of names) {
      await ask(handler, `/${name}`);
      assert.notEqual(atOnce(handler, "/0.bin"), null, `0.bin is kept, after ${name}`);
    }
    const kept = names.filter((name) => atOnce(handler, `/${name}`) !== null);
    assert.ok(kept.length >= 5 && kept.length <= 9, `${kept}`);
    assert.ok(kept.includes("19.bin"));
  });

  it("by their number", async (t) => {
    const names = Array.from({ length: 20 }, (_, index) => `${index}.bin`);
    const tree = Object.fromEntries(names.map((name) => [name, "x"]));
    const { handler } = await folder(t, tree, { memory: { maxFiles: 7 } });
    for (const name of names) await ask(handler, `/${name}`);
    assert.equal(names.filter((name) => atOnce(handler, `/${name}`) !== null).length, 7);
  });

  it("by the bytes of one, whose headers are kept", async (t) => {
    const { handler } = await folder(t, { "a.bin": "x".repeat(2 * KIB) }, { memory: { maxFileBytes: KIB } });
    const etag = (await ask(handler, "/a.bin")).headers.get("etag") as string;
    assert.equal(atOnce(handler, "/a.bin"), null);
    assert.equal(atOnce(handler, "/a.bin", {}, "HEAD")?.headers["content-length"], String(2 * KIB));
    assert.equal(atOnce(handler, "/a.bin", { "if-none-match": etag })?.status, 304);
  });

  it("and can be none", async (t) => {
    for (const memory of [false, { maxBytes: 0 }, { maxFiles: 0 }] as const) {
      const { handler } = await folder(t, { "a.txt": "a" }, { memory });
      await ask(handler, "/a.txt");
      assert.equal(atOnce(handler, "/a.txt"), null);
    }
  });

  it("against other spellings of one path", async (t) => {
    const { handler } = await folder(t, { "abc.txt": "a", "ü #?.txt": "b" });
    for (const path of ["/%61bc.txt", "/a%62c.txt", "/abc%2etxt", "/%C3%BC%20%23%3f.txt"]) {
      assert.equal((await ask(handler, path)).status, 200);
      assert.equal(atOnce(handler, path), null, path);
    }
    await ask(handler, "/%C3%BC%20%23%3F.txt");
    assert.notEqual(atOnce(handler, "/%C3%BC%20%23%3F.txt"), null);
  });
});
