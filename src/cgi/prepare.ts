/**
 * From a file that was found to a script that can be started.
 *
 * @module
 */

import type { FileInfo, FilePermissions, FileSystem, ProcessHost, UserIdentity } from "../runtime.ts";
import { explainBits } from "./access.ts";
import { whoRuns } from "./diagnosis.ts";
import { baseName, parentFolder } from "./file_path.ts";
import { type Found, hasControls, type Refusal, refuse } from "./find_file.ts";
import type { Interpreters } from "./interpreter.ts";
import type { CgiOptions } from "./options.ts";
import type { Lookup, Script } from "./script.ts";
import { resolveUser } from "./user.ts";

/** The folders and files that the options name, as absolute paths. */
export interface Places {
  readonly root: string;
  readonly script: string | null;
  readonly documentRoot: string;
  readonly workingDirectory: string | null;
}

/** Makes a script of the file that was found, or says why not. */
export type Prepare = (
  file: Found,
  segments: readonly string[],
  mount: string,
  places: Places,
) => Promise<Lookup>;

/** Prepares the making of scripts: how each is started, and whether it may be. */
export function createPrepare(
  options: CgiOptions,
  interpreters: Interpreters,
  files: FileSystem,
  processes: ProcessHost,
): Prepare {
  let user: Promise<UserIdentity | null> | null = null;

  async function refuseAccess(filename: string): Promise<Refusal | null> {
    if (interpreters.isConfigured(filename)) return null;
    // A user that cannot be had is reported where scripts are started.
    const other = await (user ??= resolveUser(options.user, processes).catch(() => null));
    const permissions = other === null ? null : await files.permissions?.(filename) ?? null;
    if (other !== null && permissions !== null) {
      return mayNotExecute(filename, permissions, other, options);
    }
    return files.isExecutable === undefined || await files.isExecutable(filename)
      ? null
      : refuse(403, `not executable: chmod +x ${filename}`);
  }

  return async function prepare(file, segments, mount, places) {
    const badKind = refuseKind(file.filename, file.info);
    if (badKind !== null) return badKind;
    const pathInfo = splitPathInfo(segments, file);
    const badInfo = refusePathInfo(pathInfo, options);
    if (badInfo !== null) return badInfo;
    const denied = await refuseAccess(file.filename);
    if (denied !== null) return denied;
    const start = await interpreters.findStart(file.filename);
    if ("refused" in start) return refuse(start.refused, `${start.reason} (${file.filename})`);
    const ownArgs = places.script === null ? [] : options.args ?? [];
    const script: Script = {
      filename: file.filename,
      scriptName: scriptName(segments, mount, file),
      pathInfo,
      documentRoot: places.documentRoot,
      program: start.program,
      args: [...start.args, ...ownArgs],
      cwd: places.workingDirectory ?? parentFolder(file.filename),
      nph: baseName(file.filename).startsWith("nph-"),
    };
    return { kind: "script", script };
  };
}

function mayNotExecute(
  filename: string,
  permissions: FilePermissions,
  user: UserIdentity,
  options: CgiOptions,
): Refusal | null {
  if ((permissions.mode & 0o111) === 0) return refuse(403, `not executable: chmod +x ${filename}`);
  const obstacle = explainBits(filename, permissions, ["execute"], user, "certain");
  return obstacle === null ? null : refuse(403, `${whoRuns(options.user)}, who cannot ${obstacle}`);
}

function refuseKind(filename: string, info: FileInfo): Refusal | null {
  if (info.kind === "directory") return refuse(403, `is a directory: ${filename}`);
  // Never opened: a FIFO would block, a device might do anything.
  return info.kind === "file" ? null : refuse(403, `not a regular file: ${filename}`);
}

/** RFC 3875 section 4.1.5: the rest of the path, decoded, with its leading slash. */
function splitPathInfo(segments: readonly string[], file: Found): string | null {
  const rest = segments.slice(file.length);
  return rest.length === 0 ? null : `/${rest.join("/")}`;
}

/**
 * Section 4.1.5 lets a server refuse awkward values. Dots as whole segments can only be there behind an encoded slash:
 * the script would see a way up (section 9.8), and no URL made from the variables would lead back to it (section 3.3).
 */
function refusePathInfo(pathInfo: string | null, options: CgiOptions): Refusal | null {
  if (pathInfo === null) return null;
  if (options.pathInfo === false) return refuse(404, "more path after the script (pathInfo is false)");
  if (hasControls(pathInfo)) return refuse(400, "a control character in the path");
  return /(?:^|[\\/])\.\.?(?:[\\/]|$)/.test(pathInfo)
    ? refuse(404, "a dot segment behind an encoded slash")
    : null;
}

/** Section 4.1.13: what of the URL's path names the script. */
function scriptName(segments: readonly string[], mount: string, file: Found): string {
  const prefix = mount === "/" ? "" : mount;
  const names = segments.slice(0, file.length).filter((name) => name !== "");
  if (file.index !== null) names.push(file.index);
  return names.length === 0 ? prefix : `${prefix}/${names.join("/")}`;
}
