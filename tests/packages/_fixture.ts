/**
 * What all tests of packages share: the package, built and packed once, and a registry that has it.
 *
 * @module
 */

import { chmod, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack, type Packed, stdPackages } from "./_pack.ts";
import { type Registry, startRegistry } from "./_registry.ts";
import { run } from "./_run.ts";

/** The package, and where it can be installed from. */
export interface Fixture {
  /** What `npm publish` would upload. */
  readonly packed: Packed;
  readonly registry: Registry;
  /** A new folder. */
  folder(name: string): Promise<string>;
  remove(): Promise<void>;
}

/** What those who use the package have from npm besides. */
const BESIDES = [
  "hono",
  "srvx",
  "@hono/node-server",
  "@types/node",
  "undici-types",
  "@types/bun",
  "bun-types",
];

/** What those who use the package from JSR have from npm: also what is put into the command for npm. */
async function packagesForJsr(): Promise<string[]> {
  const { imports } = JSON.parse(await readFile("jsr.json", "utf8"));
  const matches = Object.values<string>(imports).map((target) => /^npm:(.+)@/.exec(target)?.[1]);
  return matches.filter((name) => name !== undefined);
}

/** Builds and packs the package, and starts the registry. */
export async function prepare(): Promise<Fixture> {
  const work = await realpath(await mkdtemp(join(tmpdir(), "htbin-packages-")));
  // Scripts may run as another user.
  await chmod(work, 0o755);
  await run("npm", ["run", "--silent", "build"]);
  const { dependencies } = JSON.parse(await readFile("package.json", "utf8"));
  const names = new Set([...Object.keys(dependencies), ...await packagesForJsr(), ...BESIDES]);
  const modules = Array.from(names, (name) => `node_modules/${name}`);
  const [packages, registry, std] = await Promise.all([
    pack([".", ...modules], work),
    startRegistry(),
    stdPackages(),
  ]);
  packages.forEach(registry.addNpm);
  std.forEach(registry.addJsr);
  return {
    packed: packages[0] as Packed,
    registry,
    async folder(name) {
      const path = await mkdtemp(join(work, `${name}-`));
      await chmod(path, 0o755);
      return path;
    },
    async remove() {
      await registry.close();
      await rm(work, { recursive: true, force: true });
    },
  };
}
