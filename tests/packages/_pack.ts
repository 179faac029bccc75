/**
 * Packages as they are published: this one for npm, its dependencies for both registries.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { gunzipSync } from "node:zlib";
import type { JsrPackage, NpmPackage } from "./_registry.ts";
import { run } from "./_run.ts";
import { filesOfTar } from "./_tar.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/** A tarball on disk, and what is in it. */
export interface Packed extends NpmPackage {
  readonly path: string;
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** What `npm pack` makes of these folders, put into `destination`. Nothing is built. */
export async function pack(folders: readonly string[], destination: string): Promise<readonly Packed[]> {
  const { stdout } = await run("npm", [
    "pack",
    "--json",
    "--ignore-scripts",
    "--pack-destination",
    destination,
    ...folders.map((folder) => folder === "." ? folder : `./${folder}`),
  ]);
  const packed = JSON.parse(stdout) as readonly { readonly filename: string }[];
  return await Promise.all(packed.map(async ({ filename }) => {
    // The name of a scoped package has a slash in older versions of npm's answer.
    const path = join(destination, filename.replace("@", "").replace("/", "-"));
    const tarball = new Uint8Array(await readFile(path));
    const files = filesOfTar(new Uint8Array(gunzipSync(tarball)));
    const manifest = JSON.parse(new TextDecoder().decode(files.get("/package.json"))) as Manifest;
    return { path, manifest, tarball, files };
  }));
}

/**
 * The packages of @std that `jsr.json` names, in the oldest version that it allows, from the same source that npm users
 * get, with the types that this repository declares for them.
 */
export async function stdPackages(): Promise<readonly JsrPackage[]> {
  const { imports } = JSON.parse(await readFile("jsr.json", "utf8")) as { imports: Record<string, string> };
  const packages = new Map<string, JsrPackage & { files: Map<string, Uint8Array<ArrayBuffer>> }>();
  for (const [specifier, target] of Object.entries(imports)) {
    const [, name, version, entry] = /^jsr:(@std\/[\w-]+)@\^([\d.]+)\/(.+)$/.exec(target) ?? [];
    if (name === undefined || version === undefined) continue;
    const found = packages.get(name) ?? { name, version, exports: {}, files: new Map() };
    packages.set(name, found);
    const path = specifier.replace("#std", "");
    Object.assign(found.exports, { [`./${entry}`]: `.${path}.js` });
    await addModule(found.files, `${path}.js`);
    found.files.set(`${path}.d.ts`, await readBytes(`types/std${path}.d.ts`));
    const types = `/* @ts-self-types="./${path.split("/").at(-1)}.d.ts" */\n`;
    const code = new TextDecoder().decode(found.files.get(`${path}.js`));
    found.files.set(`${path}.js`, new TextEncoder().encode(types + code));
  }
  return [...packages.values()];
}

/** Adds a module of `deno-std`, and those that it imports. */
async function addModule(files: Map<string, Uint8Array<ArrayBuffer>>, path: string): Promise<void> {
  if (files.has(path)) return;
  const bytes = await readBytes(`node_modules/deno-std${path}`);
  files.set(path, bytes);
  for (
    const [, name = ""] of new TextDecoder().decode(bytes).matchAll(
      /^(?:import|export|\}) .*?from "(\.[^"]+)"/gm,
    )
  ) {
    await addModule(files, normalize(join(dirname(path), name)));
  }
}

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(path));
}
