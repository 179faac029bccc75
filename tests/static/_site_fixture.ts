/**
 * The tree of files that the static conformance cases are about, made in a
 * temporary folder, once per process.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** When everything was last modified, unless a case is about that. */
export const MODIFIED: Date = new Date("2024-01-02T03:04:05.678Z");

/** The same as an HTTP date. */
export const LAST_MODIFIED = "Tue, 02 Jan 2024 03:04:05 GMT";

/** What must never be sent: the content of every file outside the roots. */
export const SECRET = "TOP SECRET";

/** A name that is markup. */
export const MARKUP_NAME = "<img src=x onerror=alert(1)>";

/** The folders. */
export interface SiteFixture {
  /** The served root. */
  readonly site: string;
  /** A root with a file of each media type. */
  readonly types: string;
  /** `page.html`, and `sub.html` beside `sub/`. */
  readonly clean: string;
  /** Files with variants of every age, size and kind. */
  readonly encodings: string;
  /** A root whose path has a hidden folder in it. */
  readonly hidden: string;
  /** A symbolic link to `site`. */
  readonly link: string;
  /** A root with a file whose name is not UTF-8, `\xff.txt`. */
  readonly undecodable: string;
  /** A root with `dir/` of mode 000, and `secretmode.txt` like it. */
  readonly locked: string;
  /** A new empty folder. */
  scratch(): string;
}

let made: { fixture: SiteFixture; folder: string } | undefined;

/** Makes the tree, or returns the one that was made. */
export function siteFixture(): SiteFixture {
  made ??= makeFixture();
  return made.fixture;
}

/** Removes it. */
export function removeSiteFixture(): void {
  if (made === undefined) return;
  chmodSync(join(made.fixture.locked, "dir"), 0o700);
  rmSync(made.folder, { recursive: true, force: true });
  made = undefined;
}

/** Writes files and folders (a name with a slash at its end) and sets their times. */
export function writeTree(
  root: string,
  tree: Readonly<Record<string, string>>,
  modified: Date = MODIFIED,
): void {
  for (const [name, content] of Object.entries(tree)) {
    const path = join(root, name);
    if (name.endsWith("/")) {
      mkdirSync(path, { recursive: true });
    } else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
  }
  setTimes(root, modified);
}

/** Folders after what is in them. Links and what is not a file stay as they are. */
function setTimes(folder: string, modified: Date): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) setTimes(path, modified);
    else if (entry.isFile()) utimesSync(path, modified, modified);
  }
  utimesSync(folder, modified, modified);
}

function makeFixture(): { fixture: SiteFixture; folder: string } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "htbin-site-")));
  // Another user than the owner serves it in the cases about file modes.
  chmodSync(folder, 0o755);
  const at = (name: string) => join(folder, name);
  const fixture: SiteFixture = {
    site: at("site"),
    types: at("types"),
    clean: at("clean"),
    encodings: at("encodings"),
    hidden: at(".hidden/root"),
    link: at("link-to-site"),
    undecodable: at("undecodable"),
    locked: at("locked"),
    scratch: () => {
      const path = mkdtempSync(at("scratch-"));
      chmodSync(path, 0o755);
      return path;
    },
  };
  // It sets the times of all it finds, so it comes first.
  writeTree(folder, {
    "outside/secret.txt": SECRET,
    "site-secret/secret.txt": SECRET,
  });
  makeSite(fixture.site);
  writeTree(fixture.types, TYPES);
  writeTree(fixture.clean, CLEAN);
  makeEncodings(fixture.encodings);
  writeTree(fixture.hidden, { "hello.txt": "0123456789" });
  symlinkSync("site", fixture.link);
  makeUndecodable(fixture.undecodable);
  makeLocked(fixture.locked);
  return { fixture, folder };
}

const SITE: Readonly<Record<string, string>> = {
  "hello.txt": "0123456789",
  "empty.txt": "",
  "index.html": "<!DOCTYPE html><p>ROOT",
  "page.html": "<!DOCTYPE html><p>PAGE",
  "404.html": "<!DOCTYPE html><p>LOST",
  "sub/index.html": "SUB",
  "list/one.txt": "one",
  "list/two/": "",
  "list/.hid": SECRET,
  "dirindex/index.html/": "",
  "htm/index.htm": "HTM",
  "both/index.html": "BOTH HTML",
  "both/index.htm": "BOTH HTM",
  "noext": "noext",
  "img.png": "\x89PNG",
  "app.js": "export const app = 'identity';",
  "app.js.br": "app.js as br",
  "app.js.gz": "app.js as gz",
  "app.js.zst": "app.js as zst",
  "only.js": "export const only = 1;",
  "only.js.gz": "only.js as gz",
  "orphan.js.gz": "orphan.js as gz",
  "dirvar.js": "export const dirvar = 1;",
  "dirvar.js.br/": "",
  "a b.txt": "space",
  "c#d.txt": "hash",
  "q?.txt": "question",
  "50%.txt": "percent",
  "\u00e9.txt": "accent",
  "a:b.txt": "colon",
  "a&amp;b.txt": "entity",
  [MARKUP_NAME]: "markup",
  "\"q'.txt": "quotes",
  ".env": SECRET,
  ".git/config": SECRET,
  ".well-known/security.txt": "Contact: mailto:security@example.com",
  ".well-known/.env": SECRET,
  ".well-known-old/x": SECRET,
  "future.txt": "from the future",
  "epoch.txt": "from 1970",
  "secretmode.txt": "unreadable",
};

function makeSite(site: string): void {
  writeTree(site, SITE);
  mkdirSync(join(site, "linkidx"));
  const links: [string, string][] = [
    ["in.txt", "hello.txt"],
    ["out.txt", "../outside/secret.txt"],
    ["outdir", "../outside"],
    ["dotlink.txt", ".env"],
    ["broken", "nowhere"],
    ["linkidx/index.html", "../page.html"],
    ["linkdir", "sub"],
  ];
  for (const [name, target] of links) symlinkSync(target, join(site, name));
  execFileSync("mkfifo", [join(site, "fifo")]);
  const tomorrow = new Date(Date.now() + 86_400_000);
  utimesSync(join(site, "future.txt"), tomorrow, tomorrow);
  utimesSync(join(site, "epoch.txt"), new Date(0), new Date(0));
  chmodSync(join(site, "secretmode.txt"), 0);
  utimesSync(join(site, "linkidx"), MODIFIED, MODIFIED);
  utimesSync(site, MODIFIED, MODIFIED);
}

const TYPES: Readonly<Record<string, string>> = {
  "a.html": "<p>",
  "a.css": "p {}",
  "a.js": "0",
  "a.mjs": "0",
  "a.json": "{}",
  "a.svg": "<svg/>",
  "a.wasm": "\0asm",
  "a.md": "# a",
  "a.gz": "gz",
  "a.tar.gz": "tar.gz",
};

const CLEAN: Readonly<Record<string, string>> = {
  "index.html": "ROOT",
  "page.html": "PAGE",
  "sub.html": "SUB FILE",
  "sub/index.html": "SUB",
};

function makeEncodings(root: string): void {
  writeTree(root, {
    "img.png": "\x89PNG",
    "img.png.br": "img.png as br",
    "short.js": "0",
    "short.js.br": "x".repeat(70_000),
    "stale.js": "export const fresh = true;",
    "stale.js.br": "stale",
  });
  const before = new Date(MODIFIED.getTime() - 10_000);
  utimesSync(join(root, "stale.js.br"), before, before);
}

function makeUndecodable(root: string): void {
  writeTree(root, { "plain.txt": "plain" });
  // Not every runtime can name such a file itself.
  execFileSync("/bin/sh", [
    "-c",
    'printf bytes > "$(printf "%s/\\377.txt" "$1")"',
    "sh",
    root,
  ]);
}

function makeLocked(root: string): void {
  writeTree(root, {
    "hello.txt": "0123456789",
    "secretmode.txt": SECRET,
    "dir/file.txt": SECRET,
  });
  chmodSync(join(root, "secretmode.txt"), 0);
  chmodSync(join(root, "dir"), 0);
}
