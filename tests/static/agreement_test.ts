/**
 * Listing and serving agree, over generated trees: every link of a listing answers, nothing unlisted is served, and
 * nothing is served that the rules refuse.
 *
 * @module
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Handler } from "../../src/handler.ts";
import { staticFiles } from "../../src/static/mod.ts";
import type { StaticOptions } from "../../src/static/options.ts";
import type { FileSystem } from "../../src/runtime.ts";
import { type MemoryFileSystem, memoryFileSystem, type MemoryNode } from "../_memory_file_system.ts";
import { runtime } from "../_runtime.ts";
import { chance, NAMES, randomOptions, randomTree } from "./_random_tree.ts";

/** Deeper folders are only reached through links that go round. */
const MAX_DEPTH = 5;

interface Walk {
  readonly handler: Handler;
  readonly options: Partial<StaticOptions>;
  /** Folders that were listed, and files that were served. */
  listed: number;
  served: number;
}

async function get(walk: Walk, path: string, accept: string): Promise<Response> {
  const response = await walk.handler(new Request(`http://localhost${path}`, { headers: { accept } }));
  assert.ok(response !== undefined, path);
  return response;
}

function isListing(response: Response): boolean {
  return response.status === 200 && response.headers.get("content-type") === "application/json";
}

/** Walks a folder that answers as a listing does, and everything below it. */
async function walkFolder(walk: Walk, folder: string, depth: number): Promise<void> {
  const response = await get(walk, folder, "application/json");
  assert.equal(response.status, 200, folder);
  if (!isListing(response)) {
    checkContent(walk, folder, await response.text());
    return;
  }
  walk.listed++;
  const entries = await response.json() as { name: string; type: string }[];
  const links = entries.map(({ name, type }) => encodeURIComponent(name) + (type === "directory" ? "/" : ""));
  assert.deepEqual(await htmlLinks(walk, folder), links, folder);
  for (const link of links) {
    const path = folder + link;
    if (link.endsWith("/")) {
      if (depth > 0) await walkFolder(walk, path, depth - 1);
    } else await checkFile(walk, path);
  }
  const names = new Set(entries.map(({ name }) => name));
  for (const name of [...NAMES, "index.html"]) {
    if (!names.has(name)) await checkUnlisted(walk, folder, name, names);
  }
}

async function htmlLinks(walk: Walk, folder: string): Promise<string[]> {
  const html = await (await get(walk, folder, "text/html")).text();
  const body = html.slice(html.indexOf("<tbody>"), html.indexOf("</tbody>"));
  return [...body.matchAll(/<a href="([^"]*)"/g)]
    .map((match) => (match[1] as string).replaceAll("&#39;", "'"))
    .filter((href) => href !== "../");
}

async function checkFile(walk: Walk, path: string): Promise<void> {
  const response = await get(walk, path, "*/*");
  assert.ok(
    response.status === 200 || response.status === 301,
    `${path} is listed and answers ${response.status}`,
  );
  if (response.status === 200) checkContent(walk, path, await response.text());
}

async function checkUnlisted(
  walk: Walk,
  folder: string,
  name: string,
  listed: ReadonlySet<string>,
): Promise<void> {
  for (const path of [folder + encodeURIComponent(name), `${folder}${encodeURIComponent(name)}/`]) {
    const response = await get(walk, path, "*/*");
    // The clean name of a page that is listed.
    if (walk.options.cleanUrls && listed.has(`${name}.html`)) continue;
    assert.ok(response.status >= 400, `${path} is not listed and answers ${response.status}`);
    await response.body?.cancel();
  }
}

/** A file's content is the path it is at: what the rules say of that path is asked again here, in other words. */
function checkContent(walk: Walk, path: string, content: string): void {
  walk.served++;
  const { options } = walk;
  const where = content.split("/").slice(1);
  const said = `${path} gave ${content}`;
  const inRoots = (typeof options.root === "string" ? [options.root] : options.root ?? [])
    .some((root) => where[0] === root.slice(1));
  if (options.followSymlinks !== true) assert.ok(inRoots, `${said}: outside the root`);
  if (options.dotfiles !== true) {
    const hidden = where.some((name) => name.startsWith(".") && name !== ".well-known");
    assert.ok(!hidden, `${said}: a dot name`);
  }
  const lower = where.map((name) => name.toLowerCase());
  if (options.cgiDirectories?.length && inRoots) {
    assert.notEqual(lower[1], "cgi-bin", `${said}: a script folder`);
    assert.ok(!(lower[1] === "sub" && lower[2] === "cgi-bin"), `${said}: a script folder`);
  }
  if (options.cgiExtensions?.length) assert.ok(!content.toLowerCase().endsWith(".cgi"), `${said}: a script`);
}

/** Asks for every path of the tree by itself: what is served has a folder that shows it. */
async function checkDirectly(walk: Walk, tree: Readonly<Record<string, MemoryNode>>): Promise<void> {
  for (const full of Object.keys(tree)) {
    const [root, ...segments] = full.split("/").slice(1);
    if (root === "outside" || segments.length === 0) continue;
    const path = `/${segments.map(encodeURIComponent).join("/")}`;
    const response = await get(walk, path, "*/*");
    if (response.status !== 200) continue;
    checkContent(walk, path, await response.text());
    const folder = await get(walk, path.slice(0, path.lastIndexOf("/") + 1), "application/json");
    // An index that cannot be read answers for its folder too.
    if (folder.status === 403 && walk.options.index?.length) continue;
    assert.equal(folder.status, 200, `${path} is served, its folder is not`);
    if (!isListing(folder)) continue;
    const names = (await folder.json() as { name: string }[]).map(({ name }) => name);
    const last = segments.at(-1) as string;
    const isClean = walk.options.cleanUrls && names.includes(`${last}.html`);
    assert.ok(isClean || names.includes(last), `${path} is served and not listed`);
  }
}

/** With what the runtimes have for listings, as simply as can be. */
function withFilesIn(files: MemoryFileSystem): FileSystem {
  return {
    ...files,
    async *filesIn(directory, names) {
      yield names.map((name) => {
        const node = files.nodes.get(`${directory}/${name}`);
        return node && "content" in node && !node.unreadable
          ? { size: node.content.length, mtimeMs: 0 }
          : null;
      });
    },
  };
}

async function walkTree(
  tree: Readonly<Record<string, MemoryNode>>,
  options: Partial<StaticOptions>,
  given: Partial<StaticOptions>,
): Promise<Walk> {
  const handler = staticFiles({ root: "/a", log: () => {}, ...options, ...given });
  const walk: Walk = { handler, options, listed: 0, served: 0 };
  const top = await get(walk, "/", "application/json");
  await top.body?.cancel();
  // A root that cannot be read, or is all scripts, answers nothing at all.
  if (top.status === 200) await walkFolder(walk, "/", MAX_DEPTH);
  await checkDirectly(walk, tree);
  return walk;
}

describe("listing and serving agree", () => {
  it("on trees in memory", async () => {
    let listed = 0;
    let answered = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const by = chance(seed);
      const tree = randomTree(by, { unreadable: true });
      const fileSystem = memoryFileSystem(tree);
      const options = randomOptions(by);
      const served = seed % 2 === 0 ? fileSystem : withFilesIn(fileSystem);
      const walk = await walkTree(tree, options, { fileSystem: served }).catch((error) => {
        throw new Error(`seed ${seed}, ${JSON.stringify(options)}`, { cause: error });
      });
      assert.equal(fileSystem.openCount(), 0, `seed ${seed} left files open`);
      listed += walk.listed;
      answered += walk.served;
    }
    // Otherwise the trees were not worth walking.
    assert.ok(listed > 200 && answered > 400, `${listed} listed, ${answered} served`);
  });

  it("on trees on the disk", async () => {
    for (let seed = 1001; seed <= 1012; seed++) {
      const by = chance(seed);
      const tree = randomTree(by, { unreadable: false });
      const options = randomOptions(by);
      const base = realpathSync(mkdtempSync(join(tmpdir(), "htbin-agreement-")));
      try {
        writeTree(base, tree);
        const roots = typeof options.root === "string" ? [options.root] : options.root as string[];
        await walkTree(tree, options, { root: roots.map((root) => base + root), fileSystem: runtime.files });
      } catch (error) {
        throw new Error(`seed ${seed}, ${JSON.stringify(options)}`, { cause: error });
      } finally {
        rmSync(base, { recursive: true });
      }
    }
  });
});

function writeTree(base: string, tree: Readonly<Record<string, MemoryNode>>): void {
  const fifos: string[] = [];
  for (const [path, node] of Object.entries(tree)) {
    if ("directory" in node) mkdirSync(base + path, { recursive: true });
    else if ("content" in node) writeFileSync(base + path, path);
    else if ("link" in node) {
      symlinkSync(node.link.startsWith("/") ? base + node.link : node.link, base + path);
    } else fifos.push(base + path);
  }
  if (fifos.length > 0) execFileSync("mkfifo", fifos);
}
