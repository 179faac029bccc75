/**
 * From a request's path to the script that answers it.
 *
 * @module
 */

import type { RequestPath } from "../request_path.ts";
import { FileError, type FileSystem, type ProcessHost } from "../runtime.ts";
import { type CgiAreas, cgiAreas } from "./area.ts";
import { absolutePath, isAbsolutePath, namesBelow, parentFolder } from "./file_path.ts";
import { createFindFile, mayBeScript, PASS, type Refusal, refuse } from "./find_file.ts";
import { createInterpreters } from "./interpreter.ts";
import type { CgiOptions } from "./options.ts";
import { createPrepare, type Places } from "./prepare.ts";
import { createKnownScripts } from "./known_scripts.ts";
import type { Lookup, Script } from "./script.ts";

/** Finds the script for a path. `mount` is the decoded prefix that led here, without a slash at its end. */
export interface FindScript {
  (path: RequestPath, mount: string): Promise<Lookup>;
  /** The same at once, for one that was found before; `undefined` when it must be looked for. */
  atOnce(path: RequestPath, mount: string): Script | undefined;
}

/**
 * Prepares finding scripts.
 *
 * Every decision is made on the decoded segments of the path: a script is the first regular file on the way down from
 * the root, what is left of the path is its PATH_INFO.
 *
 * @throws {TypeError} When neither `root` nor `script` is given, or both are, or an area or interpreter is unusable.
 */
export function createLookup(
  options: CgiOptions,
  files: FileSystem,
  processes: ProcessHost,
): FindScript {
  checkPlaces(options);
  const areas = areasOf(options);
  const passes = passesByName(options);
  const interpreters = createInterpreters(options, files, processes);
  const prepare = createPrepare(options, interpreters, files, processes);
  const findFile = createFindFile(areas, options, files);
  const leavesRoot = createLeavesRoot(options, files);
  const known = createKnownScripts(files.observe?.bind(files));
  let places: Places | null = null;

  async function findScript(path: RequestPath, mount: string): Promise<Lookup> {
    const segments = belowMount(path.segments, mount);
    if (segments === null || passes(path, mount)) return PASS;
    const found = places ??= await findPlaces(options, files);
    if (found.script !== null) {
      return await lookUpFrontController(found, found.script, segments, mount);
    }
    const file = await findFile(segments, found.root);
    if ("kind" in file) return file;
    const [outside, result] = await Promise.all([
      leavesRoot(file.filename, found.root),
      prepare(file, segments, mount, found),
    ]);
    if (outside !== null) return outside;
    if (result.kind === "script") known.keep(path.encoded, mount, result.script, file, found.root, segments);
    return result;
  }

  async function lookUpFrontController(
    found: Places,
    filename: string,
    segments: readonly string[],
    mount: string,
  ): Promise<Lookup> {
    const info = await files.stat(filename);
    return info === null
      ? refuse(404, `no such file: ${filename}`)
      : await prepare({ filename, info, length: 0, index: null }, segments, mount, found);
  }

  async function find(path: RequestPath, mount: string): Promise<Lookup> {
    const script = known.recall(path.encoded, mount);
    return script === undefined
      ? await findScript(path, mount).catch(refuseDenied)
      : { kind: "script", script };
  }
  return Object.assign(find, {
    atOnce: (path: RequestPath, mount: string) => known.recall(path.encoded, mount),
  });
}

/** Tells, from the names alone, which paths are certainly no script's. */
export function passesByName(options: CgiOptions): (path: RequestPath, mount: string) => boolean {
  const areas = areasOf(options);
  return (path, mount) => {
    const segments = belowMount(path.segments, mount);
    if (segments === null) return true;
    return options.script === undefined && !mayBeScript(segments, areas, options.index ?? []);
  };
}

function areasOf({ directories = ["."], extensions = [] }: CgiOptions): CgiAreas {
  return cgiAreas(directories, extensions);
}

function checkPlaces(options: CgiOptions): void {
  if (options.root === undefined && options.script === undefined) {
    throw new TypeError('Cannot run scripts: say where they are, with "root" or "script"');
  }
  if (
    options.script !== undefined && (options.directories !== undefined || options.extensions !== undefined)
  ) {
    throw new TypeError(
      'Cannot use "directories" or "extensions" with "script": one script answers every path',
    );
  }
}

async function findPlaces(options: CgiOptions, files: FileSystem): Promise<Places> {
  const given = [options.root, options.script, options.documentRoot, options.workingDirectory];
  const needsCwd = given.some((path) => path !== undefined && !isAbsolutePath(path));
  const cwd = needsCwd ? await files.realPath(".") ?? "/" : "/";
  const absolute = (path: string | undefined) => path === undefined ? null : absolutePath(path, cwd);
  const script = absolute(options.script);
  const root = absolute(options.root) ?? parentFolder(script ?? "/");
  return {
    root,
    script,
    documentRoot: absolute(options.documentRoot) ?? root,
    workingDirectory: absolute(options.workingDirectory),
  };
}

/** The segments after the mount's, or `null` for a path that does not begin with it. */
function belowMount(segments: readonly string[], mount: string): readonly string[] | null {
  if (mount === "" || mount === "/") return segments;
  const prefix = mount.slice(1).split("/");
  return prefix.every((name, index) => segments[index] === name) ? segments.slice(prefix.length) : null;
}

type LeavesRoot = (filename: string, root: string) => Promise<Refusal | null>;

/** Decides containment on real paths. The root's own is kept for as long as files are found to lie in there. */
function createLeavesRoot(options: CgiOptions, files: FileSystem): LeavesRoot {
  let realRoot: string | null = null;

  return async function leavesRoot(filename, root) {
    if (options.followSymlinks) return null;
    const real = await files.realPath(filename);
    if (real === null) return refuse(404, `no such file: ${filename}`);
    if (realRoot !== null && namesBelow(realRoot, real) !== null) return null;
    realRoot = await files.realPath(root);
    if (realRoot !== null && namesBelow(realRoot, real) !== null) return null;
    const reason = `${filename} leads out of ${root}, to ${real} (not followed unless followSymlinks is set)`;
    return { ...refuse(404, reason), told: true };
  };
}

/** What the system keeps from this server is kept from its clients; any other failure is the caller's to report. */
function refuseDenied(error: unknown): Refusal {
  if (error instanceof FileError && error.reason === "denied") return refuse(403, error.message);
  throw error;
}
