/**
 * Section 5.7: listings of directories.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Handler } from "../../../src/handler.ts";
import { route } from "../../../src/router.ts";
import { staticFiles } from "../../../src/static/mod.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import type { RawResponse } from "../../_http.ts";
import { ask, expectError, expectHeaders, expectStatus, type Served } from "../_ask.ts";
import { MARKUP_NAME, siteFixture, writeTree } from "../_site_fixture.ts";
import { locked } from "../_unprivileged.ts";

const LISTING = { listing: true } as const;
const ROOT_LISTING = { listing: true, index: [] } as const;
const JSON_ONLY = "Accept: application/json";

/** Listings. */
export const listing: ConformanceSection = {
  title: "Listing",
  cases: [
    test(
      66,
      "T",
      "GET /list/",
      "200, text/html; charset=utf-8, title and h1 say Directory listing for /list/, links one.txt and two/, sorted ignoring case with folders first, exact Content-Length",
      listingPage,
    ),
    test(
      67,
      "T",
      "HEAD /list/",
      "200, the Content-Length of #66, no body",
      async () => {
        const get = await ask(LISTING, "GET /list/");
        const head = await ask(LISTING, "HEAD /list/");
        expectStatus(head, 200);
        expectHeaders(head, {
          "content-type": "text/html; charset=utf-8",
          "content-length": get.header("content-length"),
        });
      },
    ),
    test(
      68,
      "T",
      "GET /list/?x=123",
      "the title says /list/, no query",
      async () => {
        const response = await ask(LISTING, "GET /list/?x=123");
        expectStatus(response, 200);
        assert.match(titleOf(response), /^Directory listing for \/list\/$/);
        assert.doesNotMatch(response.text, /x=123/);
      },
    ),
    test(
      69,
      "T",
      "the listings of / and /list/",
      "a link to the parent below the root, none at the root",
      async () => {
        const root = await ask(ROOT_LISTING, "GET /");
        const below = await ask(ROOT_LISTING, "GET /list/");
        assert.ok(!hrefs(root).some((href) => resolve(href, "/") === "/.."));
        assert.ok(!hrefs(root).some((href) => /^\.\.\/?$/.test(href)));
        assert.ok(hrefs(below).some((href) => resolve(href, "/list/") === "/"));
      },
    ),
    test(
      70,
      "T",
      "the listing of the root: a name that is markup",
      "escaped as text and as a link; no raw <img",
      async () => {
        const { text } = await ask(ROOT_LISTING, "GET /");
        assert.ok(text.includes("&lt;img src=x onerror=alert(1)&gt;"));
        assert.match(
          text,
          /%3Cimg%20src%3Dx%20onerror%3Dalert(\(|%28)1(\)|%29)%3E/,
        );
        assert.ok(!text.includes("<img"));
      },
    ),
    test(
      71,
      "T",
      "follow every link of the root's listing",
      "each answers 200 or 301, with the right bytes",
      () => followEveryLink(ROOT_LISTING, "/"),
    ),
    test(
      72,
      "T",
      "all that is served below /list/, and all that is on disk",
      "what is served is listed, and nothing else",
      listedIsServed,
    ),
    test(
      73,
      "T",
      "GET /list/ with Accept: application/json",
      "an array of {name, type, size of files, mtime in ISO 8601 UTC}, Vary: Accept",
      jsonListing,
    ),
    test(
      74,
      "C",
      "Accept: text/html, application/json;q=0.1",
      "HTML",
      async () => {
        const accept = "Accept: text/html, application/json;q=0.1";
        const response = await ask(LISTING, "GET /list/", accept);
        expectHeaders(response, {
          "content-type": "text/html; charset=utf-8",
          "vary": /\baccept\b/i,
        });
      },
    ),
    test(
      75,
      "T",
      "Accept: application/json on an empty directory",
      "[]",
      async () => {
        const response = await ask(LISTING, "GET /list/two/", JSON_ONLY);
        expectStatus(response, 200);
        assert.deepEqual(JSON.parse(response.text), []);
      },
    ),
    test(
      76,
      "T",
      "a directory with a broken link",
      "200, the other entries complete",
      brokenLink,
    ),
    test(
      77,
      "T",
      "the entry of a link to a directory",
      "its href ends in /",
      async () => {
        const links = hrefs(await ask(ROOT_LISTING, "GET /"));
        assert.ok(links.some((href) => resolve(href, "/") === "/linkdir/"));
        assert.ok(!links.some((href) => resolve(href, "/") === "/linkdir"));
      },
    ),
    test(
      78,
      "T",
      "dot names hidden, GET /list/",
      "no .hid in HTML, JSON or text",
      async () => {
        for (const type of ["text/html", "application/json", "text/plain"]) {
          const accept = `Accept: ${type}`;
          const response = await ask(LISTING, "GET /list/", accept);
          expectStatus(response, 200);
          assert.doesNotMatch(response.text, /\.hid\b/, type);
          assert.match(response.text, /one\.txt/, type);
        }
      },
    ),
    test(
      79,
      "C",
      "GET of a directory of mode 000, not as root",
      "403",
      async () => {
        const response = await locked("/dir/");
        expectError(response, 403);
        assert.doesNotMatch(response.text, /file\.txt/);
      },
    ),
    test(
      80,
      "C",
      "Range: bytes=0-0 on a listing",
      "200, all of it",
      async () => {
        const range = "Range: bytes=0-0";
        const response = await ask(LISTING, "GET /list/", range);
        expectStatus(response, 200);
        expectHeaders(response, { "content-range": null });
        assert.match(response.text, /<\/html>\s*$/);
      },
    ),
    test(
      81,
      "C",
      "a listing again, with the validators of the first",
      "304 when nothing changed, 200 after a file was added",
      revalidate,
    ),
    test(
      82,
      "T",
      "a listing under a mount prefix",
      "every link resolves",
      () => followEveryLink(mountedListing, "/static/list/"),
    ),
  ],
};

async function listingPage(): Promise<void> {
  const response = await ask(LISTING, "GET /list/");
  expectStatus(response, 200);
  expectHeaders(response, {
    "content-type": "text/html; charset=utf-8",
    "content-length": String(response.body.length),
  });
  assert.equal(titleOf(response), "Directory listing for /list/");
  const heading = /<h1[^>]*>([\s\S]*?)<\/h1>/.exec(response.text)?.[1] ?? "";
  assert.match(textOf(heading), /Directory listing for \/ ?list ?\/$/);
  assert.deepEqual(entriesOf(response, "/list/"), ["two/", "one.txt"]);
  const root = siteFixture().scratch();
  writeTree(root, { "b.txt": "", "A.txt": "", "C.txt": "", "d/": "", "E/": "" });
  const sorted = await ask({ root, ...ROOT_LISTING }, "GET /");
  assert.deepEqual(
    entriesOf(sorted, "/"),
    ["d/", "E/", "A.txt", "b.txt", "C.txt"],
  );
}

async function listedIsServed(): Promise<void> {
  const listed = entriesOf(await ask(LISTING, "GET /list/"), "/list/");
  const served: string[] = [];
  for (
    const entry of readdirSync(join(siteFixture().site, "list"), {
      withFileTypes: true,
    })
  ) {
    const name = entry.name + (entry.isDirectory() ? "/" : "");
    const response = await ask(LISTING, `GET /list/${name}`);
    if (response.status === 200) served.push(name);
    else expectError(response, 404);
  }
  assert.deepEqual(listed.sort(), served.sort());
}

interface JsonEntry {
  readonly name: string;
  readonly type: string;
  readonly size?: number;
  readonly mtime: string;
}

async function jsonListing(): Promise<void> {
  const response = await ask(LISTING, "GET /list/", JSON_ONLY);
  expectStatus(response, 200);
  expectHeaders(response, {
    "content-type": /^application\/json\b/,
    "vary": /\baccept\b/i,
  });
  const entries = JSON.parse(response.text) as JsonEntry[];
  assert.ok(Array.isArray(entries));
  const [two, one] = entries as [JsonEntry, JsonEntry];
  assert.equal(entries.length, 2);
  assert.deepEqual([two.name.replace(/\/$/, ""), two.type], [
    "two",
    "directory",
  ]);
  assert.deepEqual([one.name, one.type, one.size], ["one.txt", "file", 3]);
  for (const { mtime } of entries) {
    assert.match(mtime, /^2024-01-02T03:04:05(\.678)?Z$/);
  }
}

async function brokenLink(): Promise<void> {
  const root = siteFixture().scratch();
  writeTree(root, { "a.txt": "a", "z.txt": "zz" });
  symlinkSync("nowhere", join(root, "broken"));
  const response = await ask({ root, listing: true }, "GET /", JSON_ONLY);
  expectStatus(response, 200);
  const entries = JSON.parse(response.text) as JsonEntry[];
  assert.deepEqual(
    entries.map(({ name, size }) => [name, size]),
    [["a.txt", 1], ["z.txt", 2]],
  );
}

async function revalidate(): Promise<void> {
  const root = join(siteFixture().scratch(), "root");
  mkdirSync(root);
  writeTree(root, { "a.txt": "a" });
  const options = { root, listing: true };
  const first = await ask(options, "GET /");
  const validators = [
    ["If-None-Match", first.header("etag")],
    ["If-Modified-Since", first.header("last-modified")],
  ].filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}`);
  assert.ok(validators.length > 0, "a listing has a validator");
  for (const validator of validators) {
    expectStatus(await ask(options, "GET /", validator), 304);
  }
  writeFileSync(join(root, "b.txt"), "b");
  for (const validator of validators) {
    expectStatus(await ask(options, "GET /", validator), 200);
  }
}

let mountedHandler: Handler | undefined;

const mountedListing: Handler = (request, connection) => {
  mountedHandler ??= route([
    ["/static/*", staticFiles({ root: siteFixture().site, listing: true })],
  ]);
  return mountedHandler(request, connection);
};

/** What names that need care must hold. */
const CONTENTS: Readonly<Record<string, string>> = {
  "a b.txt": "space",
  "c#d.txt": "hash",
  "q?.txt": "question",
  "50%.txt": "percent",
  "\u00e9.txt": "accent",
  "a:b.txt": "colon",
  "a&amp;b.txt": "entity",
  [MARKUP_NAME]: "markup",
  "\"q'.txt": "quotes",
  "hello.txt": "0123456789",
  "one.txt": "one",
};

async function followEveryLink(served: Served, folder: string): Promise<void> {
  const page = await ask(served, `GET ${folder}`);
  expectStatus(page, 200);
  const seen = new Set<string>();
  for (const href of hrefs(page)) {
    const path = resolve(href, folder);
    // Sorting the same page is no entry, and the mount's own parent not ours.
    if (path.split("?", 1)[0] === folder || seen.has(path)) continue;
    seen.add(path);
    const response = await ask(served, `GET ${path}`);
    assert.ok([200, 301].includes(response.status), `${path} ${response.head}`);
    const name = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
    const content = CONTENTS[name];
    if (content !== undefined) assert.equal(response.text, content, name);
  }
  const names = Object.keys(CONTENTS).filter((name) =>
    folder === "/" ? name !== "one.txt" : name === "one.txt"
  );
  for (const name of names) {
    const linked = [...seen].some((path) => decodeURIComponent(path.slice(folder.length)) === name);
    assert.ok(linked, `${name} is listed`);
  }
}

/** The links of a page, unescaped. */
function hrefs(response: RawResponse): string[] {
  return Array.from(
    response.text.matchAll(/<a\b[^>]*\bhref=(?:"([^"]*)"|'([^']*)')/g),
    (match) => unescapeHtml((match[1] ?? match[2])!),
  );
}

/** Where a link leads, as path and query. */
function resolve(href: string, folder: string): string {
  const url = new URL(href, `http://localhost${folder}`);
  assert.equal(url.host, "localhost");
  return url.pathname + url.search;
}

/** The names that a listing links to, in its order. */
function entriesOf(response: RawResponse, folder: string): string[] {
  const names = hrefs(response).map((href) => resolve(href, folder))
    .filter((path) => path.startsWith(folder) && !path.includes("?"))
    .map((path) => decodeURIComponent(path.slice(folder.length)))
    .filter((name) => name !== "");
  return [...new Set(names)];
}

function titleOf(response: RawResponse): string {
  const title = /<title>([\s\S]*?)<\/title>/.exec(response.text)?.[1] ?? "";
  return unescapeHtml(title).trim();
}

function textOf(html: string): string {
  return unescapeHtml(html.replace(/<[^>]*>/g, "")).replace(/\s+/g, " ").trim();
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&apos;": "'",
  "&#x27;": "'",
  "&amp;": "&",
};

function unescapeHtml(text: string): string {
  return text.replace(/&(?:\w+|#\w+);/g, (entity) => ENTITIES[entity] ?? entity);
}
