/**
 * The folders that are served, as they are on the disk now.
 *
 * @module
 */

import type { FileSystem } from "../runtime.ts";
import { isWindowsPath } from "./real_path.ts";
import type { CgiAreas } from "../cgi/area.ts";

/** A folder (or a single file) that is served. */
export interface Root {
  /** As configured, without a slash at its end. Lookups start here, so that a root that is a link may be switched. */
  readonly path: string;
  /** Where that leads: absolute, without links. */
  readonly real: string;
  readonly kind: "file" | "directory";
  readonly windows: boolean;
}

/** All roots at one moment. */
export interface Roots {
  readonly list: readonly Root[];
  /** Real paths of the script folders in them: a link may lead into one, and one may be a link. */
  readonly scriptFolders: readonly string[];
}

/** Where lookups get the roots from. */
export interface RootSource {
  /** The roots as of at most a second ago. */
  current(): Roots | Promise<Roots>;
  /** The same, where nothing has to be asked for it. The very same object as before when nothing has changed. */
  atHand(): Roots | undefined;
  /** The roots as of now. */
  refresh(): Promise<Roots>;
}

/**
 * How long an answer holds, in milliseconds. A folder that becomes a script folder while the server runs was being
 * served until then: this second exposes nothing that was not exposed before.
 */
const FRESH_MS = 1000;

/** Makes the source of the roots at `paths`. `report` is told when one is missing, once. */
export function rootSource(
  fileSystem: FileSystem,
  paths: readonly string[],
  areas: CgiAreas,
  report: (path: string) => void,
): RootSource {
  const bases = paths.map((path) =>
    isWindowsPath(path) ? path.replace(/[\\/]+$/, "") : path.replace(/\/+$/, "")
  );
  const missing = new Set<string>();
  let roots: Roots | undefined;
  let resolvedAt = 0;
  let pending: Promise<Roots> | undefined;

  async function resolveAll(): Promise<Roots> {
    const list: Root[] = [];
    const scriptFolders: string[] = [];
    for (const path of bases) {
      const root = await resolveRoot(fileSystem, path);
      if (root === null) {
        if (!missing.has(path)) report(path || "/");
        missing.add(path);
        continue;
      }
      missing.delete(path);
      list.push(root);
      for (const folder of areas.directories) {
        const real = await fileSystem.realPath([path, ...folder].join("/") || "/");
        if (real !== null) scriptFolders.push(real);
      }
    }
    const now = { list, scriptFolders };
    if (roots === undefined || JSON.stringify(roots) !== JSON.stringify(now)) roots = now;
    resolvedAt = Date.now();
    return roots;
  }

  function atHand(): Roots | undefined {
    const age = Date.now() - resolvedAt;
    return age >= 0 && age < FRESH_MS ? roots : undefined;
  }

  function refresh(): Promise<Roots> {
    pending ??= resolveAll().finally(() => pending = undefined);
    return pending;
  }

  return {
    refresh,
    atHand,
    current: () => atHand() ?? refresh(),
  };
}

async function resolveRoot(fileSystem: FileSystem, path: string): Promise<Root | null> {
  const real = await fileSystem.realPath(path || "/");
  if (real === null) return null;
  const info = await fileSystem.stat(real);
  if (info === null || info.kind === "other") return null;
  return { path, real, kind: info.kind, windows: isWindowsPath(real) };
}
