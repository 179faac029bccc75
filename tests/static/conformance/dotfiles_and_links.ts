/**
 * Section 5.8: dot names, symbolic links, special and unreadable files.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { ask, expectError, expectStatus, expectWhole, type Served } from "../_ask.ts";
import { siteFixture } from "../_site_fixture.ts";
import { locked } from "../_unprivileged.ts";

const DENY = { dotfiles: "deny" } as const;

/** Dot names, links and special files. */
export const dotfilesAndLinks: ConformanceSection = {
  title: "Dotfiles, links, special files",
  cases: [
    test(
      83,
      "T",
      "GET /.env, /.git/config, /sub/../.env, /%2Eenv",
      "404 each",
      () =>
        expectMissing(
          {},
          "/.env",
          "/.git/config",
          "/.git/",
          "/.git",
          "/sub/../.env",
          "/%2Eenv",
          "/list/.hid",
        ),
    ),
    test(
      84,
      "T",
      "GET /.well-known/security.txt",
      "200",
      async () => {
        const path = "GET /.well-known/security.txt";
        expectStatus(await ask({}, path), 200);
      },
    ),
    test(
      85,
      "T",
      "GET /.well-known/.env, /.well-known-old/x",
      "404",
      () => expectMissing({}, "/.well-known/.env", "/.well-known-old/x"),
    ),
    test(
      86,
      "T",
      "dot names denied: GET /.env, /.nothing; hidden: the same",
      "403 both; 404 both: whether such a name exists is never revealed",
      neverRevealed,
    ),
    test(
      87,
      "T",
      "dot names shown: GET /.env",
      "200",
      async () => {
        const response = await ask({ dotfiles: true }, "GET /.env");
        expectStatus(response, 200);
        assert.equal(response.text, "TOP SECRET");
      },
    ),
    test(
      88,
      "T",
      "the root is inside a hidden folder",
      "its files are served",
      async () => expectWhole(await ask({ root: siteFixture().hidden }, "GET /hello.txt")),
    ),
    test(
      89,
      "T",
      "GET /dotlink.txt (a link to .env)",
      "404",
      () => expectMissing({}, "/dotlink.txt"),
    ),
    test(
      90,
      "T",
      "GET /in.txt (a link inside the root)",
      "200",
      async () => expectWhole(await ask({}, "GET /in.txt")),
    ),
    test(
      91,
      "T",
      "GET /out.txt, /outdir/secret.txt (links out of the root)",
      "404 both",
      () =>
        expectMissing(
          {},
          "/out.txt",
          "/outdir/secret.txt",
          "/outdir/",
          "/outdir",
        ),
    ),
    test(
      92,
      "T",
      "links followed: GET /out.txt",
      "200",
      async () => {
        const response = await ask({ followSymlinks: true }, "GET /out.txt");
        expectStatus(response, 200);
        assert.equal(response.text, "TOP SECRET");
      },
    ),
    test(
      93,
      "T",
      "links refused: GET /in.txt, /linkdir/index.html, /linkidx/",
      "404 all, and unlisted",
      linksRefused,
    ),
    test(
      94,
      "T",
      "the root is itself a link",
      "served; what leaves it is still 404",
      async () => {
        const root = siteFixture().link;
        expectWhole(await ask({ root }, "GET /hello.txt"));
        await expectMissing({ root }, "/out.txt", "/outdir/secret.txt");
      },
    ),
    test(
      95,
      "T",
      "GET /broken (a link to nowhere)",
      "404",
      () => expectMissing({}, "/broken"),
    ),
    test(
      96,
      "T",
      "GET /fifo, nobody writes to it",
      "404 within a second, other requests unaffected",
      fifo,
    ),
    test(
      97,
      "C",
      "GET /secretmode.txt (mode 000), not as root",
      "403",
      async () => expectError(await locked("/secretmode.txt"), 403),
    ),
  ],
};

async function expectMissing(
  served: Served,
  ...paths: string[]
): Promise<void> {
  for (const path of paths) {
    expectError(await ask(served, `GET ${path}`), 404);
    expectError(await ask(served, `HEAD ${path}`), 404);
  }
}

async function neverRevealed(): Promise<void> {
  for (const [options, status] of [[{}, 404], [DENY, 403]] as const) {
    const there = await ask(options, "GET /.env");
    const nowhere = await ask(options, "GET /.nothing");
    expectError(there, status);
    expectError(nowhere, status);
    assert.equal(there.text, nowhere.text);
    assert.equal(withoutDate(there.head), withoutDate(nowhere.head));
  }
  expectStatus(await ask(DENY, "GET /.well-known/security.txt"), 200);
}

async function linksRefused(): Promise<void> {
  const options = { followSymlinks: "never", listing: true } as const;
  await expectMissing(
    options,
    "/in.txt",
    "/linkdir/index.html",
    "/linkdir/",
    "/out.txt",
  );
  expectWhole(await ask(options, "GET /hello.txt"));
  const page = await ask({ ...options, index: [] }, "GET /");
  expectStatus(page, 200);
  assert.doesNotMatch(page.text, /"(\.\/)?(in\.txt|linkdir\/?)"/);
  assert.match(page.text, /"(\.\/)?hello\.txt"/);
  // The index of this folder is a link, so the folder has none.
  const folder = await ask(options, "GET /linkidx/");
  assert.doesNotMatch(folder.text, /PAGE|index\.html/);
  // The root may be a link: whoever started the server chose it.
  const root = siteFixture().link;
  expectWhole(await ask({ ...options, root }, "GET /hello.txt"));
}

async function fifo(): Promise<void> {
  const started = performance.now();
  // More than any thread pool has threads.
  const pending = Array.from({ length: 16 }, () => ask({}, "GET /fifo"));
  expectWhole(await ask({}, "GET /hello.txt"));
  for (const response of await Promise.all(pending)) {
    expectError(response, 404);
  }
  assert.ok(performance.now() - started < 1000, "within a second");
}

function withoutDate(head: string): string {
  return head.replace(/^date: .*\r\n/im, "");
}
