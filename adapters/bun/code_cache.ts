/**
 * Bytecode of the command, on Bun: made of its files by Bun's own bundler, kept beside them, and taken by later starts.
 * To compile them takes a third of the time that the command needs to its first answer.
 *
 * `tools/bundle.js` puts this into the command's first file, which loads the others with it.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { chmod, mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { cacheFolder, type Load, loadParts, type Packages, readPart } from "../shared/command_parts.ts";
import { process } from "../shared/process.ts";

/** How long after the start it is made, in milliseconds: it takes another process half a second. */
const PAUSE = 2000;

/** How old what another process left unfinished is before it is removed, in milliseconds. */
const ABANDONED = 60_000;

/** Says how to load the parts of the command that `url` is the first file of; nothing while there is no bytecode. */
export function loadCached(url: string, packages: Packages): Load | undefined {
  const home = fileURLToPath(new URL(".", url));
  const cache = cacheFolder(home, "bun", process.versions["bun"]!);
  if (cache === null) return undefined;
  if (existsSync(cache)) {
    const openPart = createRequire(url);
    return loadParts(url, packages, (file) => openPart(`${cache}/${file}`));
  }
  // Workers have a parent, who does it.
  if (process.send === undefined) setTimeout(() => void keep(home, cache), PAUSE).unref();
  return undefined;
}

/**
 * Makes it in a folder in `home`. Only where the user owns that, and so that nobody else can change it: Bun runs what is
 * there without another look. It is there as a whole, or not at all: a part that is loaded both ways would be there twice.
 */
async function keep(home: string, folder: string): Promise<void> {
  const work = `${folder}.${Math.random().toString(36).slice(2)}`;
  try {
    if ((await stat(home)).uid !== process.geteuid?.()) return;
    const parts = await readdir(`${home}cli`);
    await mkdir(`${home}.cache`, { recursive: true, mode: 0o755 });
    await removeAbandoned(`${home}.cache/`);
    await mkdir(work, { mode: 0o700 });
    for (const name of parts) {
      const { imports, code } = readPart(`${home}cli/${name}`);
      const source = `"use strict"; exports.imports = ${JSON.stringify(imports)}; exports.run = ${code};`;
      await writeFile(`${work}/${sourceOf(name)}`, source);
    }
    await compile(work, parts.map(sourceOf));
    for (const name of parts) await rm(`${work}/${sourceOf(name)}`);
    for (const name of await readdir(work)) await finish(`${work}/${name}`);
    await chmod(work, 0o755);
    await rename(work, folder);
  } catch {
    // A package that cannot be written to starts as it always did.
    await rm(work, { recursive: true, force: true });
  }
}

function sourceOf(name: string): string {
  return name.replace(/js$/, "cjs");
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const { mode, mtimeMs } = await stat(`${folder}${name}`);
    const unfinished = (mode & 0o777) === 0o700;
    if (unfinished && Date.now() - mtimeMs > ABANDONED) await rm(`${folder}${name}`, { recursive: true });
  }
}

/** Resolves once Bun has compiled them, to files that end in `.js`, and in `.js.jsc` for the bytecode. */
async function compile(folder: string, sources: readonly string[]): Promise<void> {
  const { spawn } = await import("node:child_process");
  const { setPriority } = await import("node:os");
  const options = ["--bytecode", "--target=bun", "--format=cjs", "--external=*", "--root=.", "--outdir=."];
  // Also in a program that Bun has put together with the server, which would else start the server.
  const env = { ...process.env, BUN_BE_BUN: "1" };
  const child = spawn(process.execPath, ["build", ...sources, ...options], {
    cwd: folder,
    env,
    stdio: "ignore",
  });
  child.unref();
  if (child.pid !== undefined) setPriority(child.pid, 19);
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => code === 0 ? resolve() : reject(new Error(`bun build: ${code}`)));
  });
}

/** What the machine finds after it has stopped is whole. */
async function finish(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.chmod(0o644);
    await file.sync();
  } finally {
    await file.close();
  }
}
