/**
 * What is started to run a script: the file itself, a program configured for its ending, or the one its `#!` line
 * names where the system does not look at that line.
 *
 * @module
 */

import type { FileSystem, ProcessHost } from "../runtime.ts";
import { absolutePath, baseName, isAbsolutePath, isWindowsPath, joinPath } from "./file_path.ts";
import { inheritedVariables } from "./inherited.ts";
import type { CgiOptions } from "./options.ts";
import {
  HEAD_LENGTH,
  isEnv,
  parseEnvCall,
  parseProgramHead,
  type ProgramHead,
  type Shebang,
} from "./shebang.ts";

/** A program and its arguments, the script's path among them where an interpreter runs it. */
export interface Start {
  readonly program: string;
  readonly args: readonly string[];
}

/** Why a script cannot be started. */
export interface StartRefusal {
  readonly refused: 403 | 502;
  readonly reason: string;
}

/** Decides how scripts are started. */
export interface Interpreters {
  /** Whether a program is configured for the file's ending, so that it need not be executable. */
  isConfigured(filename: string): boolean;
  /** What to start for a regular file. */
  findStart(filename: string): Promise<Start | StartRefusal>;
}

/** How long the place of a program is taken for granted, in milliseconds. */
const PROGRAM_AGE = 10_000;

/**
 * Prepares the starting of scripts.
 *
 * @throws {TypeError} For an unusable entry in `interpreters`.
 */
export function createInterpreters(
  options: CgiOptions,
  files: FileSystem,
  processes: ProcessHost,
): Interpreters {
  const configured = parseInterpreters(options.interpreters ?? {});
  const searchPath = scriptsPath(options, processes);
  const findProgram = rememberPrograms(files, searchPath);

  function commandFor(filename: string): readonly string[] | undefined {
    const name = lowerAscii(baseName(filename));
    return configured.find(([ending]) => name.length > ending.length && name.endsWith(ending))?.[1];
  }
  return {
    isConfigured: (filename) => commandFor(filename) !== undefined,
    async findStart(filename) {
      const command = commandFor(filename);
      if (command !== undefined) {
        const [name, ...args] = command as [string, ...string[]];
        const program = await findProgram(name);
        return program === null
          ? { refused: 502, reason: missingProgram(name, searchPath) }
          : { program, args: [...args, filename] };
      }
      if (isWindowsPath(filename)) return await windowsStart(filename, files, findProgram);
      // The system reads the `#!` line itself, and says so when it cannot.
      return { program: filename, args: [] };
    },
  };
}

/** Where scripts' programs are looked up: PATH as the scripts themselves get it. */
export function scriptsPath(
  options: Pick<CgiOptions, "env" | "inheritEnv">,
  processes: Pick<ProcessHost, "environment">,
): string {
  const own = typeof options.env === "object" ? options.env["PATH"] : undefined;
  return own ?? inheritedVariables(processes, []).get("PATH") ?? "";
}

/** Finds a program: as it is with a slash in it, else in the folders of `searchPath`. `null` when it is not there. */
export async function lookUpProgram(
  name: string,
  searchPath: string,
  files: FileSystem,
): Promise<string | null> {
  const windows = isWindowsPath(searchPath) || isWindowsPath(name);
  if (/\//.test(name) || isAbsolutePath(name)) {
    const cwd = isAbsolutePath(name) ? "" : await files.realPath(".") ?? "/";
    const path = absolutePath(name, cwd);
    // Where we may not look (a Deno permission), the operator's word is taken.
    return await isProgram(path, files) === false ? null : path;
  }
  const names = windows && !/\.(?:exe|com)$/i.test(name) ? [`${name}.exe`, `${name}.com`] : [name];
  for (const folder of searchPath.split(windows ? ";" : ":")) {
    if (!isAbsolutePath(folder)) continue;
    for (const candidate of names) {
      const path = joinPath(folder, [candidate]);
      if (await isProgram(path, files) === true) return path;
    }
  }
  return null;
}

/** The first bytes of a file, or `null` when they cannot be read. */
export async function readProgramHead(
  filename: string,
  files: FileSystem,
): Promise<ProgramHead | null> {
  try {
    const file = await files.open(filename);
    if (file === null) return null;
    try {
      const length = Math.min(HEAD_LENGTH, file.info.size);
      return parseProgramHead(await file.read({ offset: 0, length }));
    } finally {
      await file.close();
    }
  } catch {
    // Executable but not readable: all the system needs for a compiled program.
    return null;
  }
}

/** Why the system cannot run a file that begins like this, or `null` when nothing speaks against it. */
export async function explainHead(
  filename: string,
  head: ProgramHead | null,
  files: FileSystem,
): Promise<string | null> {
  if (head === null || head.kind === "binary") return null;
  if (head.kind === "empty") return "the file is empty";
  if (head.kind === "text") {
    return "no #! line: add one, such as #!/bin/sh, or name an interpreter for its ending";
  }
  if (head.kind === "marked") {
    return `a byte order mark before the #! line: sed -i '1s/^\\xef\\xbb\\xbf//' ${filename}`;
  }
  const { program } = head.shebang;
  if (program.endsWith("\r") || head.shebang.argument?.endsWith("\r") && isEnv(head.shebang)) {
    return `\\r in the #! line (Windows line ends): sed -i 's/\\r$//' ${filename}`;
  }
  // A relative one starts at the working directory: unusual, but the system's to refuse.
  if (!isAbsolutePath(program)) return null;
  const info = await files.stat(program).catch(() => undefined);
  if (info === undefined) return null;
  const interpreter = `the interpreter ${program} in the #! line`;
  if (info === null) return `${interpreter} is not there: install it, or correct the line`;
  if (info.kind !== "file") return `${interpreter} is no program: correct the line`;
  const isExecutable = await files.isExecutable?.(program).catch(() => true) ?? true;
  return isExecutable ? null : `${interpreter} is not executable: correct the line`;
}

type Endings = readonly (readonly [ending: string, command: readonly string[]])[];

/** Longest ending first, so that `.inc.php` wins over `.php`. */
function parseInterpreters(
  interpreters: Readonly<Record<string, string | readonly string[]>>,
): Endings {
  const parsed = Object.entries(interpreters).map(([ending, value]) => {
    const command = typeof value === "string" ? [value] : value;
    if (!/^\.[^/\\\0]+$/.test(ending)) {
      throw new TypeError(
        `Cannot use the interpreter for "${ending}": an ending must begin with a dot, such as ".py"`,
      );
    }
    if (command.length === 0 || command[0] === "" || command.some((word) => word.includes("\0"))) {
      throw new TypeError(`Cannot use the interpreter for "${ending}": no program is named`);
    }
    return [lowerAscii(ending), command] as const;
  });
  return parsed.sort(([a], [b]) => b.length - a.length);
}

function missingProgram(name: string, searchPath: string): string {
  return isAbsolutePath(name) || name.includes("/")
    ? `the interpreter ${name} is not there, or not executable`
    : `the interpreter ${name} is in none of the folders of the scripts' PATH (${searchPath})`;
}

type FindProgram = (name: string) => Promise<string | null>;

function rememberPrograms(files: FileSystem, searchPath: string): FindProgram {
  const known = new Map<string, { readonly at: number; readonly path: string }>();
  return async function findProgram(name) {
    const remembered = known.get(name);
    if (remembered !== undefined && Date.now() - remembered.at < PROGRAM_AGE) {
      return remembered.path;
    }
    const path = await lookUpProgram(name, searchPath, files);
    // Only names from the options and from `#!` lines of scripts, so this cannot be made to grow by requests.
    if (path === null) known.delete(name);
    else known.set(name, { at: Date.now(), path });
    return path;
  };
}

/** Windows looks at no `#!` line, so it is read here. */
async function windowsStart(
  filename: string,
  files: FileSystem,
  findProgram: FindProgram,
): Promise<Start | StartRefusal> {
  if (/\.(?:exe|com)$/i.test(filename)) return { program: filename, args: [] };
  if (/\.(?:bat|cmd)$/i.test(filename)) {
    // cmd.exe would take apart what is given to it, also what came with the request (CVE-2024-27980).
    return { refused: 403, reason: "batch files are not run: their arguments cannot be made safe" };
  }
  const head = await readProgramHead(filename, files);
  if (head?.kind !== "shebang") {
    return {
      refused: 502,
      reason: "no #! line, and no interpreter is named for its ending",
    };
  }
  const call = windowsCall(head.shebang);
  const program = call === null ? null : await findWindowsProgram(call.program, findProgram);
  return call === null || program === null
    ? {
      refused: 502,
      reason: `the interpreter of the #! line is not to be found: ${head.shebang.program}`,
    }
    : { program, args: [...call.args, filename] };
}

function windowsCall(shebang: Shebang): Start | null {
  // A script from Windows has its line ends.
  const clean = (text: string) => text.replace(/\r$/, "").trimEnd();
  const argument = shebang.argument === null ? "" : clean(shebang.argument);
  const program = clean(shebang.program);
  if (isEnv({ program, argument: null })) return parseEnvCall(argument || null);
  return { program, args: argument === "" ? [] : [argument] };
}

/** As named; else by its last name in PATH (`/usr/bin/perl`); else without its version (`python3`). */
async function findWindowsProgram(
  program: string,
  findProgram: FindProgram,
): Promise<string | null> {
  const name = program.replace(/^.*[\\/]/, "");
  const names = [name, name.replace(/[\d.]+$/, "")];
  if (isWindowsPath(program)) names.unshift(program);
  for (const candidate of new Set(names)) {
    const found = candidate === "" ? null : await findProgram(candidate);
    if (found !== null) return found;
  }
  return null;
}

/** `undefined` where we may not look. */
async function isProgram(path: string, files: FileSystem): Promise<boolean | undefined> {
  const info = await files.stat(path).catch(() => undefined);
  if (info === undefined) return undefined;
  if (info?.kind !== "file") return false;
  return files.isExecutable === undefined || await files.isExecutable(path);
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
