/**
 * V8's code cache for the command, on Node: what was compiled of its files is kept beside them, and later starts take it
 * from there, as Deno does by itself. To compile them takes half of the time that the command needs to its first answer.
 *
 * `tools/bundle.js` puts this into the command's first file, which loads the others with it.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { cacheFolder, type Load, loadParts, type Packages, readPart } from "../shared/command_parts.ts";
import { process } from "../shared/process.ts";
import { afterFirstConnection } from "./first_connection.ts";

/** How long after the first connection it is kept, in milliseconds: what answers a request is compiled by then. */
const PAUSE = 500;

/** Says how to load the parts of the command that `url` is the first file of; nothing where nothing is to be kept. */
export function loadCached(url: string, packages: Packages): Load | undefined {
  const home = fileURLToPath(new URL(".", url));
  const cache = cacheFolder(home, "node", process.version);
  if (cache === null) return undefined;
  const compiled = new Map<string, Script>();
  afterFirstConnection(PAUSE, () => void keep(home, cache, compiled));
  return loadParts(url, packages, (file) => {
    const path = `${home}cli/${file}`;
    const { imports, code } = readPart(path);
    const cachedData = readIfThere(`${cache}/${file}.bin`);
    const script = new Script(`"use strict"; (${code})`, { filename: path, cachedData });
    if (script.cachedDataRejected !== false) compiled.set(file, script);
    return { imports, run: script.runInThisContext() };
  });
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Writes what is compiled by now to a folder in `home`. Only where the user owns that, and so that nobody else can change
 * it: V8 runs what is there without another look.
 */
async function keep(home: string, folder: string, compiled: ReadonlyMap<string, Script>): Promise<void> {
  try {
    if (compiled.size === 0 || (await stat(home)).uid !== process.geteuid?.()) return;
    await mkdir(folder, { recursive: true, mode: 0o755 });
    for (const [file, script] of compiled) {
      await writeWhole(`${folder}/${file}.bin`, script.createCachedData());
    }
  } catch {
    // A package that cannot be written to starts as it always did.
  }
}

/** Others may start at the same moment, or the machine stop: what they find is whole, or not there. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.${Math.random().toString(36).slice(2)}`;
  try {
    await writeFile(part, bytes, { flag: "wx", mode: 0o644, flush: true });
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
