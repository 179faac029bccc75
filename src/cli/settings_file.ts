/**
 * `htbin.json`: settings in a file.
 *
 * @module
 */

import { FileError, type FileSystem, type Runtime } from "../runtime.ts";
import { segmentsBelow } from "../static/real_path.ts";
import type { CertificateFiles } from "./certificate.ts";
import { readText } from "./read_text.ts";
import type { Settings } from "./settings.ts";
import type { SettingsFile } from "./sources.ts";
import { StartError } from "./start_error.ts";
import { UsageError } from "./usage_error.ts";

/** Looked for in the working directory, and never served. */
export const SETTINGS_FILE = "htbin.json";

/**
 * Reads the file that was named, or `htbin.json` where there is one; `false` reads none.
 *
 * @throws {StartError} When it cannot be read, or was found and belongs to somebody else.
 * @throws {UsageError} When it is not an object in JSON.
 */
export async function readSettingsFile(
  runtime: Pick<Runtime, "files" | "processes">,
  named: string | false | undefined,
): Promise<SettingsFile | null> {
  if (named === false) return null;
  if (named !== undefined) return parse(named, await readText(runtime.files, "--config", named));
  if (!await isThere(runtime.files)) return null;
  await demandOwn(runtime);
  return parse(SETTINGS_FILE, await readText(runtime.files, "--config", SETTINGS_FILE));
}

async function isThere(files: FileSystem): Promise<boolean> {
  try {
    return (await files.stat(SETTINGS_FILE))?.kind === "file";
  } catch (error) {
    // Deno may allow the served folder alone. Nobody has asked for this file.
    if (error instanceof FileError) return false;
    throw error;
  }
}

/** Whoever can write the file can have programs run: in `/tmp` that could be anybody. */
async function demandOwn({ files, processes }: Pick<Runtime, "files" | "processes">): Promise<void> {
  const permissions = await files.permissions?.(SETTINGS_FILE);
  const user = processes.user;
  if (!permissions || !user) return;
  const isOwn = permissions.uid === user.uid || permissions.uid === 0;
  if (isOwn && (permissions.mode & 0o002) === 0) return;
  throw new StartError(
    `${SETTINGS_FILE} ${isOwn ? "can be written by everybody" : "belongs to another user"}: ` +
      `--config ${SETTINGS_FILE} uses it nevertheless, --no-config ignores it`,
  );
}

function parse(path: string, text: string): SettingsFile {
  const values = parseJson(path, text);
  if (typeof values === "object" && values !== null && !Array.isArray(values)) {
    return { path, values: values as SettingsFile["values"] };
  }
  throw new UsageError(`${path}: it must be an object: { "port": 8000 }`);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    // The rest of the message may quote the file, and so a password.
    const position = /position (\d+)/.exec(String(error))?.[1];
    const line = position === undefined
      ? ""
      : ` (line ${text.slice(0, Number(position)).split("\n").length})`;
    throw new UsageError(`${path}: not JSON${line}`, { cause: error });
  }
}

/**
 * What of the served folder is never served: files of settings, and what else the settings name that is not for
 * everybody.
 */
export async function hiddenFiles(
  files: FileSystem,
  directory: string,
  { tls, auth }: Pick<Settings, "tls" | "auth">,
  file: SettingsFile | null,
): Promise<readonly string[]> {
  const root = await realPath(files, directory);
  const hidden = [SETTINGS_FILE];
  const { cert, key, password } = tls === null || tls === "self-signed"
    ? {} as Partial<CertificateFiles>
    : tls;
  for (const path of [file?.path, cert, key, password, auth?.file]) {
    const real = path ? await realPath(files, path) : null;
    const below = root === null || real === null ? null : segmentsBelow(root, real);
    if (below !== null && below.length > 0) hidden.push(`/${below.join("/")}`);
  }
  return hidden;
}

/** `null` also for what cannot be looked at: whoever needs it will say so. */
async function realPath(files: FileSystem, path: string): Promise<string | null> {
  try {
    return await files.realPath(path);
  } catch (error) {
    if (error instanceof FileError) return null;
    throw error;
  }
}
