/**
 * Why a program could not be started, found out after the fact: the system's one code stands for several reasons.
 *
 * @module
 */

import { type Command, type FileSystem, SpawnError, type SpawnErrorReason } from "../../src/runtime.ts";
import { interpreterIn } from "./program_format.ts";
import { errorCode, explain, isAbsence, isDenial, isExhaustion } from "./system_error.ts";

type Finding = readonly [reason: SpawnErrorReason, text: string];

/** What is looked at. */
export type Evidence = Pick<FileSystem, "stat" | "open" | "isExecutable">;

/** Turns a runtime's error into the core's. */
export async function spawnError(
  error: unknown,
  command: Command,
  files: Evidence,
): Promise<SpawnError> {
  if (error instanceof SpawnError) return error;
  const [reason, text] = await findingOf(error, command, files);
  return spawnErrorOf(reason, command, text, error);
}

function spawnErrorOf(
  reason: SpawnErrorReason,
  command: Command,
  text: string,
  cause: unknown,
): SpawnError {
  const message = `Cannot start ${command.program}: ${text}`;
  return new SpawnError(reason, message, { cause });
}

const formatText = "it is neither a program for this machine nor a script whose first line begins with #!";

/** The system would not know what to do with the file. */
export function formatError(command: Command): SpawnError {
  return spawnErrorOf("format", command, formatText, undefined);
}

/** Refuses what the runtimes would cut off, drop or throw about, each in its own way. */
export function demandExpressible(command: Command): void {
  const obstacle = obstacleIn(command);
  if (obstacle !== null) throw spawnErrorOf("failed", command, `it was given ${obstacle}`, undefined);
}

/** Whether the program can be given all that it is to be given. */
export function isExpressible(command: Command): boolean {
  return obstacleIn(command) === null;
}

function obstacleIn({ program, args, env, cwd }: Command): string | null {
  if (hasNul(program) || hasNul(cwd) || args.some(hasNul)) return NUL;
  for (const name of Object.keys(env)) {
    if (hasNul(env[name]!)) return NUL;
    if (name === "" || name.includes("=") || hasNul(name)) return `a variable named ${JSON.stringify(name)}`;
  }
  return null;
}

const NUL = "a NUL in a string";

function hasNul(text: string): boolean {
  return text.includes("\0");
}

async function findingOf(
  error: unknown,
  command: Command,
  files: Evidence,
): Promise<Finding> {
  const code = errorCode(error);
  if (isExhaustion(code)) return ["exhausted", explain(error)];
  if (code === "ENOEXEC" || code === "Unknown system error -8") {
    return ["format", formatText];
  }
  if (code === "E2BIG") {
    return ["failed", "its arguments and variables are too long (E2BIG)"];
  }
  try {
    if (isAbsence(error)) return await findAbsence(command, files);
    if (isDenial(code)) return await findDenial(error, command, files);
  } catch {
    // What may not be looked at cannot tell more.
  }
  if (isAbsence(error)) return ["missing", explain(error)];
  return [isDenial(code) ? "denied" : "failed", explain(error)];
}

async function findAbsence(
  { program, cwd }: Command,
  files: Evidence,
): Promise<Finding> {
  if ((await files.stat(cwd))?.kind !== "directory") {
    return ["failed", `its working directory ${cwd} is not there`];
  }
  if (await files.stat(program) === null) return ["missing", "it is not there"];
  const interpreter = interpreterIn(await headOf(program, files));
  if (interpreter === null) {
    return ["missing", "the loader it was built for is not there"];
  }
  const hint = interpreter.endsWith("\r") ? " (the line ends in CR LF: save it with Unix line ends)" : "";
  return [
    "missing",
    `its first line names ${interpreter.trimEnd()}, which is not there${hint}`,
  ];
}

async function headOf(
  program: string,
  files: Evidence,
): Promise<Uint8Array> {
  const file = await files.open(program);
  if (file === null) return new Uint8Array(0);
  try {
    const length = Math.min(256, file.info.size);
    return await file.read({ offset: 0, length });
  } finally {
    await file.close();
  }
}

async function findDenial(
  error: unknown,
  { program, user }: Command,
  files: Evidence,
): Promise<Finding> {
  const info = await files.stat(program);
  if (info?.kind === "directory") return ["denied", "it is a directory"];
  if (info?.kind === "other") return ["denied", "it is not a regular file"];
  if (info !== null && await files.isExecutable?.(program) === false) {
    return ["denied", "it is not executable (chmod +x)"];
  }
  const whose = user === null ? "" : ` for the user ${user.uid}:${user.gid}`;
  return ["denied", `${explain(error)}${whose}`];
}
