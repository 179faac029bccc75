/**
 * Scripts in a folder of their own, with all that they import, so that any server can run them as any user.
 *
 * @module
 */

import { chmod, copyFile, cp, mkdir, mkdtemp, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../_conformance.ts";

/** The folder. */
export interface Installation {
  /** What a server serves: the scripts are in `cgi-bin`. */
  readonly root: string;
  /** This runtime's program, which every user may start. */
  readonly program: string;
  /** Where a server, and a test, may write. */
  readonly scratch: string;
  remove(): Promise<void>;
}

const compiled = runtimeName === "node";
const extension = compiled ? "js" : "ts";
const tree = fileURLToPath(new URL("../..", import.meta.url));

/** What scripts import. */
const MODULES = ["src/script/mod", "tests/script/_app"] as const;

/**
 * Installs scripts. In their code, `SCRIPT` is the module of `runAsCgi()`, and `APP` that of the app.
 *
 * @param scripts By name; each gets a first line for this runtime where it has none.
 */
export async function install(scripts: Readonly<Record<string, string>>): Promise<Installation> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "htbin-script-")));
  const root = join(folder, "www");
  const scratch = join(folder, "scratch");
  await mkdir(join(root, "cgi-bin"), { recursive: true });
  await mkdir(scratch);
  for (const path of ["src", "adapters"]) await cp(join(tree, path), join(folder, path), { recursive: true });
  await mkdir(join(folder, "tests/script"), { recursive: true });
  const app = `tests/script/_app.${extension}`;
  await copyFile(join(tree, app), join(folder, app));
  await copyFile("package.json", join(folder, "package.json"));
  for (const name of ["hono", "deno-std"]) {
    await cp(`node_modules/${name}`, join(folder, "node_modules", name), { recursive: true });
  }
  const program = await reachable(process.execPath, folder);
  for (const [name, code] of Object.entries(scripts)) {
    const [script, used] = MODULES.map((path) => `${folder}/${path}.${extension}`);
    const path = join(root, "cgi-bin", name);
    const whole = code.startsWith("#!") ? code : firstLine(program) + code;
    await writeFile(path, whole.replaceAll("SCRIPT", script!).replaceAll("APP", used!));
    await chmod(path, 0o755);
  }
  for (const path of [folder, root]) await chmod(path, 0o755);
  await chmod(scratch, 0o777);
  return { root, program, scratch, remove: () => rm(folder, { recursive: true, force: true }) };
}

function firstLine(program: string): string {
  const args = runtimeName === "deno" ? " run -A --no-check" : "";
  return `#!/usr/bin/env -S ${program}${args}\n`;
}

/** A program that every user may start: this one, or a copy. */
async function reachable(program: string, folder: string): Promise<string> {
  for (let path = program; path !== "/"; path = dirname(path)) {
    if (((await stat(path)).mode & 0o001) !== 0) continue;
    const copy = join(folder, runtimeName);
    await copyFile(program, copy);
    await chmod(copy, 0o755);
    return copy;
  }
  return program;
}
