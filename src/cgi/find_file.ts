/**
 * From a path's segments to the first file on the way down.
 *
 * @module
 */

import { isNameable } from "../request_path.ts";
import type { FileInfo, FileSystem } from "../runtime.ts";
import type { CgiAreas } from "./area.ts";
import { isWindowsHazard, isWindowsPath, joinPath } from "./file_path.ts";
import type { CgiOptions } from "./options.ts";
import type { Lookup } from "./script.ts";

/** A refusal: see {@linkcode Lookup}. */
export type Refusal = Extract<Lookup, { kind: "refused" }>;

/** A file on the way, before anything is known of how to run it. */
export interface Found {
  readonly filename: string;
  readonly info: FileInfo;
  /** How many segments name it. */
  readonly length: number;
  /** Set when the file was not named itself, but its folder. */
  readonly index: string | null;
}

/** Not ours. */
export const PASS: Lookup = { kind: "pass" };

/** Ours, but nothing that may run. */
export function refuse(status: Refusal["status"], reason: string): Refusal {
  return { kind: "refused", status, reason };
}

/**
 * Whether the file system must be asked. Doubled slashes do not count here, so that `//cgi-bin/x` cannot become another
 * handler's business; they are refused later.
 */
export function mayBeScript(segments: readonly string[], areas: CgiAreas, index: readonly string[]): boolean {
  const names = segments.filter((segment) => segment !== "");
  if (areas.inDirectory(names) || names.some((name) => areas.hasExtension(name))) return true;
  const isFolder = segments.length === 0 || segments.at(-1) === "";
  return isFolder && index.some((name) => areas.hasExtension(name));
}

/** Goes down from the root, or finds out at once. A result may still be no regular file. */
export type FindFile = (segments: readonly string[], root: string) => Promise<Found | Lookup>;

/** Makes the finding of files in these areas. */
export function createFindFile(areas: CgiAreas, options: CgiOptions, files: FileSystem): FindFile {
  return async (segments, root) =>
    await findWhole(segments, root, areas, options, files) ??
      await walk(segments, root, areas, options, files);
}

/** The file that the whole path names, without PATH_INFO: the usual case, with one question to the file system. */
async function findWhole(
  segments: readonly string[],
  root: string,
  areas: CgiAreas,
  options: CgiOptions,
  files: FileSystem,
): Promise<Found | null> {
  const windows = isWindowsPath(root);
  const last = segments.at(-1);
  if (last === undefined || !(areas.inDirectory(segments) || areas.hasExtension(last))) return null;
  if (segments.some((name) => name === "" || refuseName(name, windows, options) !== null)) return null;
  const filename = joinPath(root, segments);
  const info = await files.stat(filename);
  return info?.kind === "file" ? { filename, info, length: segments.length, index: null } : null;
}

/** Goes down from the root to the first regular file. */
async function walk(
  segments: readonly string[],
  root: string,
  areas: CgiAreas,
  options: CgiOptions,
  files: FileSystem,
): Promise<Found | Lookup> {
  const windows = isWindowsPath(root);
  const names: string[] = [];
  for (const [at, segment] of segments.entries()) {
    if (segment === "") {
      if (at === segments.length - 1) break;
      return decide(areas, at, segments, refuse(404, "a doubled slash before the script's name"));
    }
    names.push(segment);
    const bad = refuseName(segment, windows, options);
    if (bad !== null) return decide(areas, at, segments, bad);
    const filename = joinPath(root, names);
    const info = await files.stat(filename);
    if (info === null) return decide(areas, at, segments, refuse(404, `no such file: ${filename}`));
    if (info.kind === "directory") continue;
    if (!areas.inDirectory(names) && !areas.hasExtension(segment)) return PASS;
    return { filename, info, length: at + 1, index: null };
  }
  return await findIndex(names, segments, root, areas, options, files);
}

/**
 * A refusal, where the path is ours: in an area's folder, or with an ending that makes a script at or below the place
 * where it went wrong. Else somebody else may know the path.
 */
function decide(
  areas: CgiAreas,
  at: number,
  segments: readonly string[],
  refusal: Refusal,
): Lookup {
  const rest = segments.slice(at);
  const ours = areas.inDirectory(segments.filter((segment) => segment !== "")) ||
    rest.some((segment) => areas.hasExtension(segment));
  return ours ? refusal : PASS;
}

/** The path ended at a folder: a script that answers for it, or the folder itself, never a listing. */
async function findIndex(
  names: readonly string[],
  segments: readonly string[],
  root: string,
  areas: CgiAreas,
  options: CgiOptions,
  files: FileSystem,
): Promise<Found | Lookup> {
  const inDirectory = areas.inDirectory(names);
  for (const index of options.index ?? []) {
    if (!inDirectory && !areas.hasExtension(index)) continue;
    const filename = joinPath(root, [...names, index]);
    const info = await files.stat(filename);
    if (info?.kind !== "file") continue;
    return { filename, info, length: segments.length, index };
  }
  if (!inDirectory) return PASS;
  const folder = joinPath(root, names);
  const info = await files.stat(folder);
  return info === null
    ? refuse(404, `no such folder: ${folder}`)
    : { filename: folder, info, length: segments.length, index: null };
}

/** Names that can be no script's. */
function refuseName(segment: string, windows: boolean, options: CgiOptions): Refusal | null {
  if (hasControls(segment)) return refuse(400, "a control character in the path");
  // The router in front may have seen one segment where the file system would see two.
  if (!isNameable(segment)) return refuse(404, "an encoded slash or backslash in the script's name");
  if (segment.startsWith(".") && segment !== ".well-known" && !options.dotfiles) {
    return refuse(404, "a name that begins with a dot (not served unless dotfiles is set)");
  }
  if (windows && isWindowsHazard(segment)) {
    return refuse(404, "a name that means something else on Windows");
  }
  return null;
}

/** Control characters have no business in a path, and end lines in logs and in heads. */
export function hasControls(text: string): boolean {
  return /[\x00-\x1f\x7f]/.test(text);
}
