/**
 * Listings: order, pages, forms, validators.
 *
 * @module
 */

import assert from "node:assert/strict";
import { linkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { FileSystem } from "../../src/runtime.ts";
import { staticFiles } from "../../src/static/mod.ts";
import type { ListingEntry, StaticOptions } from "../../src/static/options.ts";
import { listingOrder, sortKey } from "../../src/static/listing_order.ts";
import { formatDate, formatSize } from "../../src/static/listing_page.ts";
import { formatListingQuery, parseListingQuery } from "../../src/static/listing_query.ts";
import { sortWithPauses } from "../../src/static/yielding.ts";
import { memoryFileSystem, type MemoryNode } from "../_memory_file_system.ts";
import { runtime, temporaryDirectory } from "../_runtime.ts";
import { type Site, siteOf } from "./_handler.ts";

const JSON_ONLY = { accept: "application/json" };
const TIME = Date.UTC(2024, 0, 2, 3, 4, 5);

async function names(site: Site, path: string): Promise<string[]> {
  const entries = await (await site.get(path, JSON_ONLY)).json() as ListingEntry[];
  return entries.map(({ name }) => name);
}

/** The links of the page's table, as they stand there. */
function links(html: string): string[] {
  const body = html.slice(html.indexOf("<tbody>"), html.indexOf("</tbody>"));
  return [...body.matchAll(/<a href="([^"]*)"/g)].map((match) => match[1] as string);
}

describe("a listing's order", () => {
  it("puts folders first and goes by name without case, numbers by their value", () => {
    const sorted = ["b", "file10", "A", "file2", "file1", "é", "file02b", "c"].map((name) => ({
      name,
      key: sortKey(name),
      directory: name === "c",
    })).sort(listingOrder("name", "asc")).map(({ name }) => name);
    assert.deepEqual(sorted, ["c", "A", "b", "file1", "file2", "file02b", "file10", "é"]);
  });

  it("compares numbers of any length", () => {
    const numbers = ["9", "10", "123456789", "1234567890", "12345678901", "98765432100"];
    assert.deepEqual([...numbers].reverse().sort((a, b) => sortKey(a) < sortKey(b) ? -1 : 1), numbers);
  });

  it("sorts by size and date, equal ones by name", async () => {
    const site = siteOf({
      "/site/dir/x": "",
      "/site/a": { content: "12", mtimeMs: TIME },
      "/site/b": { content: "1", mtimeMs: TIME + 9000 },
      "/site/c": { content: "123", mtimeMs: TIME + 5000 },
      "/site/d": { content: "12", mtimeMs: TIME },
    }, { listing: true });
    assert.deepEqual(await names(site, "/"), ["dir", "a", "b", "c", "d"]);
    assert.deepEqual(await names(site, "/?order=desc"), ["dir", "d", "c", "b", "a"]);
    assert.deepEqual(await names(site, "/?sort=size"), ["dir", "b", "a", "d", "c"]);
    assert.deepEqual(await names(site, "/?sort=size&order=desc"), ["dir", "c", "a", "d", "b"]);
    assert.deepEqual(await names(site, "/?sort=date&order=desc"), ["dir", "b", "c", "a", "d"]);
    assert.deepEqual(await names(site, "/?sort=nonsense&order=up"), ["dir", "a", "b", "c", "d"]);
  });
});

describe("sortWithPauses()", () => {
  it("sorts as the platform does, and keeps the order of equals", async () => {
    const items = Array.from({ length: 10_001 }, (_, index) => ({ key: index * 7919 % 1009, index }));
    const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
    assert.deepEqual(await sortWithPauses(items, compare), [...items].sort(compare));
    assert.deepEqual(await sortWithPauses([], compare), []);
  });
});

describe("a listing's query", () => {
  it("is read and written back", () => {
    for (const query of ["", "?sort=size&order=desc", "?q=a+b%26&page=3", "?limit=5&page=2"]) {
      assert.equal(formatListingQuery(parseListingQuery(query)), query);
    }
    assert.deepEqual(parseListingQuery("?x=123&page=0&limit=-1&sort=&order=ASC"), parseListingQuery(""));
  });
});

describe("a listing page", () => {
  const tree: Record<string, MemoryNode | string> = {
    "/site/list/one.txt": "1",
    "/site/list/two/x": "2",
    "/site/list/.hid": "h",
    "/site/list/<img src=x onerror=alert(1)>": "markup",
    "/site/list/\"q'.txt": "q",
    "/site/list/a:b.txt": "colon",
    "/site/list/50%.txt": "percent",
    "/site/list/c#d?.txt": "hash",
    "/site/list/é.txt": "e",
    "/site/list/abc\u202etxt.exe": "bidi",
    "/site/list/a&amp;b.txt": "amp",
    "/site/list/linkdir": { link: "two" },
    "/site/list/broken": { link: "nowhere" },
  };
  const site = siteOf(tree, { listing: true });

  it("names the folder in title and heading, without the query", async () => {
    const html = await (await site.get("/list/?x=123")).text();
    assert.match(html, /<title>Directory listing for \/list\/<\/title>/);
    assert.match(html, /<h1>Directory listing for \/list\/<\/h1>/);
  });

  it("escapes names, and shows no character that turns text round", async () => {
    const html = await (await site.get("/list/")).text();
    assert.doesNotMatch(html, /<img/);
    assert.match(html, /&lt;img src=x onerror=alert\(1\)&gt;/);
    assert.match(html, /href="%3Cimg%20src%3Dx%20onerror%3Dalert\(1\)%3E"/);
    assert.match(html, /abc\ufffdtxt\.exe/);
    assert.doesNotMatch(html, /\u202e|\.hid\b|broken/);
  });

  it("links to what the names hold", async () => {
    const html = await (await site.get("/list/")).text();
    const found = new Map<string, string>();
    for (const href of links(html)) {
      if (href === "../") continue;
      const url = new URL(href.replaceAll("&#39;", "'").replaceAll("&amp;", "&"), "http://localhost/list/");
      const response = await site.get(url.pathname);
      if (href.endsWith("/")) assert.equal(response.status, 200);
      else found.set(decodeURIComponent(url.pathname.slice("/list/".length)), await response.text());
    }
    assert.equal(found.get("a:b.txt"), "colon");
    assert.equal(found.get("50%.txt"), "percent");
    assert.equal(found.get("c#d?.txt"), "hash");
    assert.equal(found.get("\"q'.txt"), "q");
    assert.equal(found.get("a&amp;b.txt"), "amp");
    assert.equal(found.size, 9);
  });

  it("has a link up, except at the top", async () => {
    assert.ok(links(await (await site.get("/list/")).text()).includes("../"));
    assert.ok(!links(await (await site.get("/")).text()).includes("../"));
    const mounted = siteOf(tree, { listing: true, mount: "/m" });
    const top = await (await mounted.get("/m/")).text();
    assert.match(top, /<h1>Directory listing for \/m\/<\/h1>/);
    assert.ok(!links(top).includes("../"));
  });

  it("marks links and gives folders a slash", async () => {
    const html = await (await site.get("/list/")).text();
    assert.match(html, /href="linkdir\/".*?<i title="Symbolic link">/);
  });

  it("allows its own style and script by their hash, and nothing else", async () => {
    const response = await site.get("/list/");
    const policy = response.headers.get("content-security-policy") ?? "";
    const html = await response.text();
    for (const tag of ["style", "script"]) {
      const text = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html)?.[1] as string;
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
      const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
      assert.ok(policy.includes(`${tag}-src 'sha256-${hash}'`), tag);
    }
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(html, / style="| on[a-z]+="/);
  });

  it("shows sizes and dates for people", () => {
    assert.deepEqual([0, 999, 1000, 1449, 9949, 23_400_000, 999_600, 5e12].map(formatSize), [
      "0 B",
      "999 B",
      "1.0 kB",
      "1.4 kB",
      "9.9 kB",
      "23 MB",
      "1.0 MB",
      "5.0 TB",
    ]);
    assert.equal(formatDate(TIME + 678), "2024-01-02T03:04:05Z");
    assert.equal(formatDate(9e15), null);
  });
});

describe("a listing's forms", () => {
  const site = siteOf({
    "/site/two/x": "2",
    "/site/one.txt": { content: "1", mtimeMs: TIME },
    "/site/link": { link: "one.txt" },
    "/site/line\nbreak": { content: "", mtimeMs: null },
    "/empty/.hid": "",
  }, { listing: true });
  const entries = [
    { name: "two", type: "directory", mtime: "2024-01-02T03:04:05Z" },
    { name: "line\nbreak", type: "file", size: 0 },
    { name: "link", type: "file", mtime: "2024-01-02T03:04:05Z", size: 1, link: true },
    { name: "one.txt", type: "file", mtime: "2024-01-02T03:04:05Z", size: 1 },
  ];

  it("are JSON, a line of JSON each, or text, by Accept", async () => {
    const json = await site.get("/", JSON_ONLY);
    assert.equal(json.headers.get("content-type"), "application/json");
    assert.equal(json.headers.get("vary"), "accept");
    assert.deepEqual(await json.json(), entries);
    const lines = await (await site.get("/", { accept: "application/x-ndjson" })).text();
    assert.deepEqual(lines.trimEnd().split("\n").map((line) => JSON.parse(line)), entries);
    assert.equal(
      await (await site.get("/", { accept: "text/plain" })).text(),
      "2024-01-02T03:04:05Z\t-\ttwo/\n-\t0\tline?break\n" +
        "2024-01-02T03:04:05Z\t1\tlink\n2024-01-02T03:04:05Z\t1\tone.txt\n",
    );
  });

  it("weigh what the client prefers", async () => {
    const typeFor = async (accept: string) => (await site.get("/", { accept })).headers.get("content-type");
    assert.equal(await typeFor("text/html, application/json;q=0.1"), "text/html; charset=utf-8");
    assert.equal(await typeFor("text/html;q=0.1, application/json"), "application/json");
    assert.equal(await typeFor("*/*"), "text/html; charset=utf-8");
    assert.equal(await typeFor("image/png"), "text/html; charset=utf-8");
  });

  it("are an empty list for an empty folder", async () => {
    const empty = siteOf({ "/empty/.hid": "" }, { root: "/empty", listing: true });
    assert.equal((await (await empty.get("/", JSON_ONLY)).text()).trim(), "[]");
    assert.match(await (await empty.get("/")).text(), /This folder is empty/);
  });

  it("leave out what cannot be read", async () => {
    const locked = siteOf({
      "/site/a": { content: "a", unreadable: true },
      "/site/dir": { directory: true, unreadable: true },
      "/site/c": "c",
    }, { listing: true });
    assert.deepEqual(await names(locked, "/"), ["c"]);
    assert.equal(await locked.status("/dir/"), 403);
  });
});

describe("a listing's validators", () => {
  it("answer a reload with 304 until something changes", async () => {
    const site = siteOf({ "/site/a.txt": "a", "/site/b.txt": "b" }, { listing: true });
    for (const headers of [{}, JSON_ONLY] as Record<string, string>[]) {
      const first = await site.get("/", headers);
      const tag = { ...headers, "if-none-match": first.headers.get("etag") as string };
      const date = { ...headers, "if-modified-since": first.headers.get("last-modified") as string };
      const again = await site.get("/", tag);
      assert.equal(again.status, 304);
      assert.equal(again.headers.get("content-type"), null);
      assert.equal(again.headers.get("vary"), "accept");
      assert.equal(await site.status("/", date), 304);
      // Same size of folder, same folder's date: only the entry is another.
      site.files.nodes.set("/site/a.txt", { content: "longer", mtimeMs: TIME - 5000 });
      assert.equal(await site.status("/", tag), 200);
      site.files.nodes.set("/site/a.txt", { content: "a" });
      site.files.nodes.set("/site/c.txt", { content: "c", mtimeMs: TIME + 60_000 });
      assert.equal(await site.status("/", tag), 200);
      assert.equal(await site.status("/", date), 200);
      site.files.nodes.delete("/site/c.txt");
    }
  });

  it("take the date back to before a second in which more may happen", async () => {
    const now = Date.now();
    const site = siteOf({ "/site/a.txt": { content: "a", mtimeMs: now } }, { listing: true });
    const date = (await site.get("/")).headers.get("last-modified") as string;
    assert.ok(Date.parse(date) < now - now % 1000);
    assert.equal(await site.status("/", { "if-modified-since": new Date(now).toUTCString() }), 200);
  });

  it("are the same for HEAD", async () => {
    const site = siteOf({ "/site/a.txt": "a" }, { listing: true });
    const [get, head] = [await site.get("/"), await site.get("/", {}, "HEAD")];
    assert.deepEqual(Object.fromEntries(head.headers), Object.fromEntries(get.headers));
    assert.equal(await head.text(), "");
    assert.equal(get.headers.get("content-length"), String((await get.arrayBuffer()).byteLength));
    assert.equal(await site.status("/", { "if-match": '"x"' }), 412);
  });
});

describe("a listing of many entries", () => {
  const tree: Record<string, string> = {};
  for (let index = 1; index <= 2500; index++) tree[`/site/item ${index}`] = "";
  const site = siteOf(tree, { listing: true });

  it("comes in pages with links between them", async () => {
    const html = await (await site.get("/?page=2")).text();
    const table = links(html);
    assert.equal(table.length, 1000);
    assert.equal(table[0], "item%201001");
    assert.match(html, /1,001–2,000 of 2,500 entries/);
    assert.match(html, /href="\.\/" rel="prev"/);
    assert.match(html, /href="\.\/\?page=3" rel="next"/);
    assert.equal(links(await (await site.get("/?page=99")).text())[0], "item%202001");
  });

  it("can be narrowed down over all pages", async () => {
    assert.deepEqual(await names(site, "/?q=ITEM+249"), [
      "item 249",
      ...Array.from({ length: 10 }, (_, index) => `item ${2490 + index}`),
    ]);
  });

  it("is written to programs as it is read, and in pages when they ask", async () => {
    const all = await site.get("/", JSON_ONLY);
    assert.equal(all.headers.get("content-length"), null);
    assert.equal((await all.json() as unknown[]).length, 2500);
    const lines = await (await site.get("/", { accept: "application/x-ndjson" })).text();
    assert.equal(lines.trimEnd().split("\n").length, 2500);
    const page = await site.get("/?page=3&limit=10", JSON_ONLY);
    assert.deepEqual((await page.json() as ListingEntry[]).map(({ name }) => name).slice(0, 2), [
      "item 21",
      "item 22",
    ]);
    const link = page.headers.get("link") ?? "";
    assert.match(link, /<\.\/\?limit=10&page=4>; rel="next"/);
    assert.match(link, /<\.\/\?limit=10&page=250>; rel="last"/);
    assert.deepEqual(await (await site.get("/?page=9999&limit=10", JSON_ONLY)).json(), []);
  });

  it("stops reading when the client leaves", async () => {
    const before = site.files.calls.open;
    const response = await site.get("/", JSON_ONLY);
    const reader = (response.body as ReadableStream).getReader();
    await reader.read();
    await reader.cancel();
    await new Promise((resolve) => setTimeout(resolve, 0));
    // The folder's two index names, and not more than a few pieces.
    assert.ok(site.files.calls.open - before < 200, String(site.files.calls.open - before));
    assert.equal(site.files.openCount(), 0);
  });
});

describe("a listing of files that are looked at together", () => {
  const tree: Record<string, MemoryNode | string> = {
    "/site/sub/script": "source",
    "/site/sub/text": "text",
    "/other/sub/text": "text below",
    "/other/sub/more": "more",
  };
  function looked(options: Partial<StaticOptions>, kinds: Record<string, MemoryNode | string> = tree) {
    let names = 0;
    const files = memoryFileSystem(kinds);
    const fileSystem: FileSystem = {
      ...files,
      // As if all of them had become files meanwhile.
      async *filesIn(_, asked) {
        names += asked.length;
        yield asked.slice(0, 1).map(() => ({ size: 1, mtimeMs: 0 }));
      },
    };
    return { site: siteOf(kinds, { listing: true, fileSystem, ...options }), count: () => names };
  }

  it("asks for the others by themselves", async () => {
    const { site, count } = looked({});
    const entries = await (await site.get("/sub/", JSON_ONLY)).json() as ListingEntry[];
    assert.deepEqual(entries.map(({ name, size }) => [name, size]), [["script", 1], ["text", 4]]);
    assert.equal(count(), 2);
  });

  it("believes it of nothing but files", async () => {
    const kinds = { "/site/x": { link: "nowhere" }, "/site/y": { special: "fifo" } } as const;
    assert.deepEqual(await names(looked({}, kinds).site, "/"), []);
    const folder = { "/site/x.cgi/y": "" };
    const [entry] = await (await looked({ cgiExtensions: [".cgi"] }, folder).site.get("/", JSON_ONLY)).json();
    assert.equal(entry.type, "directory");
  });

  it("does not where more than their names decides", async () => {
    const link = { "/site/cgi-bin": { link: "sub/script" }, ...tree };
    const scripts = looked({ cgiDirectories: ["cgi-bin"] }, link);
    assert.deepEqual(await names(scripts.site, "/sub/"), ["text"]);
    const roots = looked({ root: ["/site", "/other"] });
    assert.deepEqual(await names(roots.site, "/sub/"), ["more", "script", "text"]);
    const linked = looked({}, { "/site/link": { link: "sub" }, ...tree });
    assert.deepEqual(await names(linked.site, "/link/"), ["script", "text"]);
    assert.deepEqual([scripts, roots, linked].map(({ count }) => count()), [0, 0, 0]);
  });

  it("does beside folders of scripts", async () => {
    const { site, count } = looked({ cgiDirectories: ["cgi-bin"] }, { "/site/cgi-bin/x": "", ...tree });
    assert.deepEqual(await names(site, "/sub/"), ["script", "text"]);
    assert.equal(count(), 2);
  });
});

describe("a listing of many files", () => {
  for (const way of ["together", "one by one"] as const) {
    it(`leaves room for others while they are looked at ${way}`, async (t) => {
      const directory = await temporaryDirectory(t);
      writeFileSync(join(directory, "0"), "");
      for (let file = 1; file < 3000; file++) linkSync(join(directory, "0"), join(directory, `${file}`));
      const { filesIn, ...files } = runtime.files;
      let turns = 0;
      const fileSystem: FileSystem = {
        ...files,
        ...(way === "together" && filesIn && { filesIn }),
        turn() {
          turns++;
          return files.turn!();
        },
      };
      const handler = staticFiles({ root: directory, listing: true, fileSystem });
      for (const headers of [{}, JSON_ONLY]) {
        turns = 0;
        const began = performance.now();
        const response = await handler(new Request("http://localhost/?sort=size", { headers }));
        await response?.arrayBuffer();
        // Half a millisecond each, of which a busy machine may take a lot.
        const least = Math.min(8, (performance.now() - began) / 10);
        assert.ok(turns >= least, `${turns} turns in ${performance.now() - began} ms`);
      }
    });
  }
});

describe("a listing with compression", () => {
  it("is compressed when it is worth it, under a tag of its own", async () => {
    const tree: Record<string, string> = {};
    for (let index = 0; index < 1500; index++) tree[`/site/${index}`] = "";
    const site = siteOf(tree, { listing: true, compress: true });
    const gzip = { "accept-encoding": "gzip" };
    for (const headers of [gzip, { ...gzip, ...JSON_ONLY }]) {
      const response = await site.get("/", headers);
      assert.equal(response.headers.get("content-encoding"), "gzip");
      assert.equal(response.headers.get("vary"), "accept, accept-encoding");
      const body = (response.body as ReadableStream).pipeThrough(new DecompressionStream("gzip"));
      assert.ok((await new Response(body).text()).includes("999"));
    }
    const tag = (await site.get("/", gzip)).headers.get("etag") as string;
    assert.match(tag, /^W\/"\w+-gzip"$/);
    const again = await site.get("/", { ...gzip, "if-none-match": tag });
    assert.deepEqual([again.status, again.headers.get("content-encoding")], [304, null]);
    assert.equal(await site.status("/", { "if-none-match": tag }), 200);
  });
});

describe("renderListing", () => {
  it("makes the page, and leaves JSON alone", async () => {
    const site = siteOf({ "/site/list/a.txt": "a", "/site/list/b/x": "b" }, {
      listing: true,
      headers: [{ path: "**", headers: { "X-A": "b" } }],
      renderListing: ({ path, parent, entries, total }) =>
        new Response(`${path} ${parent} ${total} ${entries.map(({ name, type }) => `${name}:${type}`)}`),
    });
    const response = await site.get("/list/");
    assert.equal(response.headers.get("vary"), "accept");
    assert.equal(response.headers.get("x-a"), "b");
    assert.equal(await response.text(), "/list/ true 2 b:directory,a.txt:file");
    assert.deepEqual(await names(site, "/list/"), ["b", "a.txt"]);
    assert.equal(await (await site.get("/list/", {}, "HEAD")).text(), "");
  });
});
