/**
 * Why a script that was found could not be run: looked into after it failed, so that it may take its time.
 *
 * @module
 */

import type { FileSystem, ProcessHost } from "../runtime.ts";
import { findObstacle, type Wish } from "./access.ts";
import { isAbsolutePath, isWindowsPath } from "./file_path.ts";
import { explainHead, lookUpProgram, readProgramHead, scriptsPath } from "./interpreter.ts";
import type { CgiOptions } from "./options.ts";
import type { Script } from "./script.ts";
import { isEnv, parseEnvCall, type ProgramHead } from "./shebang.ts";
import { resolveUser, showUser } from "./user.ts";

/** Looks for the reason; `null` when none is found. Never rejects. */
export type Diagnose = (script: Script) => Promise<string | null>;

/**
 * Makes the diagnosis for scripts that could not be started, or that ended without output and with the status that
 * shells and `env` give for a program they cannot run (126, 127).
 */
export function createDiagnosis(
  options: CgiOptions,
  files: FileSystem,
  processes: ProcessHost,
): Diagnose {
  const searchPath = scriptsPath(options, processes);

  async function diagnose(script: Script): Promise<string | null> {
    const folder = await files.stat(script.cwd);
    if (folder?.kind !== "directory") return `the working directory ${script.cwd} is not there`;
    const head = script.program === script.filename ? await readProgramHead(script.filename, files) : null;
    return await explainHead(script.filename, head, files) ??
      await explainInterpreter(script, head, searchPath, files) ??
      await explainUser(script, head);
  }

  async function explainUser(script: Script, head: ProgramHead | null): Promise<string | null> {
    const user = await resolveUser(options.user, processes);
    if (user === null) return await explainOwnRights(script, files);
    const own = script.program === script.filename;
    // Whoever interprets a script must read it.
    const wishes: readonly Wish[] = own && head?.kind !== "shebang"
      ? ["execute"]
      : own
      ? ["execute", "read"]
      : ["read"];
    const obstacle = await findObstacle(script.filename, wishes, user, "likely", files);
    return obstacle === null ? null : `${whoRuns(options.user)}, who cannot ${obstacle}`;
  }

  return (script) => diagnose(script).catch(() => null);
}

/** How a sentence about the user begins. */
export function whoRuns(user: CgiOptions["user"]): string {
  return user === undefined
    ? `started as root, scripts run as ${showUser(user)}`
    : `scripts run as ${showUser(user)}`;
}

async function explainInterpreter(
  script: Script,
  head: ProgramHead | null,
  searchPath: string,
  files: FileSystem,
): Promise<string | null> {
  if (script.program !== script.filename) {
    return await files.stat(script.program) === null
      ? `the interpreter ${script.program} is not there`
      : null;
  }
  if (head?.kind !== "shebang" || isWindowsPath(script.filename)) return null;
  const { program, argument } = head.shebang;
  if (argument?.endsWith("\r")) {
    return `\\r in the #! line (Windows line ends): sed -i 's/\\r$//' ${script.filename}`;
  }
  if (!isAbsolutePath(program)) {
    return `the #! line names ${program} without its folder: write it as /usr/bin/env ${program}`;
  }
  const call = isEnv(head.shebang) ? parseEnvCall(argument) : null;
  if (call === null || await lookUpProgram(call.program, searchPath, files) !== null) return null;
  return `the #! line asks env for ${call.program}, which is in none of the folders of the scripts' PATH (${searchPath})`;
}

async function explainOwnRights(script: Script, files: FileSystem): Promise<string | null> {
  if (script.program !== script.filename || files.isExecutable === undefined) return null;
  return await files.isExecutable(script.filename) ? null : `not executable: chmod +x ${script.filename}`;
}
