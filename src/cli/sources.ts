/**
 * Settings that the command line leaves open, from the environment and from a file.
 *
 * @module
 */

import { closestName } from "../closest_name.ts";
import { type Declaration, DECLARATIONS, flagKey, type Flags, isOnByDefault, settingName } from "./flags.ts";
import { UsageError } from "./usage_error.ts";
import * as value from "./values.ts";

/** A file of settings. */
export interface SettingsFile {
  /** As it is named in messages. */
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Where settings come from besides the command line. */
export interface Sources {
  /** A variable of the environment. */
  environment(name: string): string | undefined;
  readonly file: SettingsFile | null;
}

/** The port, which is not a flag but a setting all the same. */
const PORT: Declaration = { flags: "--port", help: "port to listen on; 0 for any", value: value.port };

/** All settings that a file may hold. */
export const FILE_SETTINGS: readonly Declaration[] = [
  PORT,
  ...DECLARATIONS.flatMap(([, declarations]) => declarations.filter(({ reach }) => reach === undefined)),
];

/** Flags of the command line, by their names in {@linkcode Flags}, and what they were given. */
export type GivenFlags = ReadonlyMap<string, unknown>;

/**
 * All flags: as given, else as another source has them, else as they are by default. `origins` tells what to call those
 * that have come from elsewhere, by flag: `--directory` is `htbin.json: directory`.
 *
 * @throws {UsageError} For a value that makes no sense. The message names the variable, or the file and the key.
 */
export function fillIn(
  given: GivenFlags,
  sources: Sources,
): { readonly flags: Flags; readonly origins: ReadonlyMap<string, string> } {
  const flags: Record<string, unknown> = {};
  const origins = new Map<string, string>();
  if (sources.file !== null) demandKnown(sources.file);
  for (const [, declarations] of DECLARATIONS) {
    for (const declaration of declarations) {
      const key = flagKey(declaration);
      const found = given.has(key) ? null : lookUp(declaration, sources);
      const value = found === null ? given.get(key) : found.value;
      flags[key] = value ?? declaration.otherwise ?? (isOnByDefault(declaration) || undefined);
      if (found?.value !== undefined) origins.set(`--${settingName(declaration)}`, found.origin);
    }
  }
  return { flags: flags as unknown as Flags, origins };
}

/** The port that the environment or the file names. */
export function portOf(sources: Sources): number | undefined {
  return lookUp(PORT, sources)?.value as number | undefined;
}

/** A value, and what it is called where it comes from. */
interface Found {
  readonly origin: string;
  readonly value: unknown;
}

/** The value of a setting, or `null` when neither has it. */
function lookUp(declaration: Declaration, { environment, file }: Sources): Found | null {
  if (declaration.reach === "nowhere") return null;
  const variable = variableName(declaration);
  const text = environment(variable);
  // Compose files and the like set what is to be unset to nothing.
  if (text !== undefined && text !== "") {
    return { origin: variable, value: fromText(declaration, variable, text) };
  }
  const name = settingName(declaration);
  if (file === null || !Object.hasOwn(file.values, name)) return null;
  const origin = `${file.path}: ${name}`;
  return { origin, value: fromJson(declaration, origin, file.path, file.values[name]) };
}

/** `HTBIN_CGI_DIR` for `--cgi-dir`. */
export function variableName(declaration: Declaration): string {
  return `HTBIN_${settingName(declaration).toUpperCase().replaceAll("-", "_")}`;
}

function fromText({ value }: Declaration, name: string, text: string): unknown {
  if (value === undefined) {
    if (/^(true|yes|on|1)$/i.test(text)) return true;
    if (/^(false|no|off|0)$/i.test(text)) return false;
    throw new UsageError(`${name} takes true or false, not '${text}'`);
  }
  return parseAll(value, name, value.repeats ? listOf(text) : [text]);
}

/** Several values are written as in a file: `["a", "b"]`. */
function listOf(text: string): readonly string[] {
  if (!text.startsWith("[")) return [text];
  try {
    const list = JSON.parse(text);
    if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  } catch {
    // A single value that begins with a bracket.
  }
  return [text];
}

function fromJson({ value: type }: Declaration, name: string, path: string, json: unknown): unknown {
  if (type === undefined) {
    if (typeof json === "boolean") return json;
    throw new UsageError(`${name} takes true or false`);
  }
  const list = type.repeats && Array.isArray(json) ? json : [json];
  const fits = isNumber(type)
    ? list.every((item) => typeof item === "number")
    : list.every((item) => typeof item === "string");
  if (!fits) {
    // What it is instead is not shown: it may be a password.
    const wanted = isNumber(type) ? "a number" : "text in quotes";
    throw new UsageError(`${name} takes ${wanted}${type.repeats ? ", or a list of it" : ""}`);
  }
  const texts = list.map(String);
  return parseAll(type, name, type === value.path ? texts.map((text) => besideFile(path, text)) : texts);
}

function isNumber({ schema }: value.ValueType<unknown>): boolean {
  return schema["type"] === "integer" || schema["type"] === "number";
}

/** A path as seen from the working directory. */
function besideFile(file: string, path: string): string {
  const isAbsolute = /^([\\/]|[A-Za-z]:[\\/])/.test(path);
  return isAbsolute || path === "" ? path : file.replace(/[^\\/]*$/, "") + path;
}

function parseAll(type: value.ValueType<unknown>, name: string, texts: readonly string[]): unknown {
  return texts.reduce<unknown>((previous, text) => type.parse(name, text, previous), undefined);
}

function demandKnown({ path, values }: SettingsFile): void {
  const known = FILE_SETTINGS.map(settingName);
  for (const name of Object.keys(values)) {
    if (name === "$schema" || known.includes(name)) continue;
    throw new UsageError(
      `${path}: unknown setting '${name}': did you mean ${closestName(name, known).name}?`,
    );
  }
}
