/**
 * What is there before anything is measured: documents, scripts, tools and the packages of JavaScript peers. All of it
 * is made once, in `bench/.work`, which is not kept in git.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** This folder. */
export const BENCH: string = fileURLToPath(new URL(".", import.meta.url));
/** The checkout. */
export const PROJECT: string = fileURLToPath(new URL("..", import.meta.url));
/** What is made: not below a folder that other users may not enter, since servers that are started as root leave it. */
export const WORK: string = process.env["BENCH_WORK"] ?? join(BENCH, ".work");
/** The folder that every server serves. */
export const DOCUMENTS: string = join(WORK, "www");
/** The folder of its scripts. */
export const SCRIPTS: string = join(DOCUMENTS, "cgi-bin");

export const KIB: number = 1024;
export const MIB: number = 1024 * KIB;
export const GIB: number = 1024 * MIB;

/** The versions that are measured. */
const PACKAGES = [
  "sirv@3.0.2",
  "send@1.2.1",
  "serve-handler@6.1.8",
  "hono@4.13.19",
  "@hono/node-server@2.1.8",
];

/** Files by name and size. */
const FILES = { "1k.html": KIB, "100k.js": 100 * KIB, "10m.bin": 10 * MIB };

/** Path of a built tool. */
export function tool(name: string): string {
  return join(WORK, "bin", name);
}

/** Path of a program, or `null` where it is not installed. */
export function which(program: string): string | null {
  if (isAbsolute(program)) return existsSync(program) ? program : null;
  // Debian has some servers where only root looks.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null;
}

/** Path of a runtime: npm's own where it has one. The benchmarks themselves run on Deno. */
export function runtimePath(name: "deno" | "bun" | "node"): string {
  if (name === "deno") return process.execPath;
  const local = join(PROJECT, "node_modules/bun/bin/bun.exe");
  return name === "bun" && existsSync(local) ? local : which(name) ?? name;
}

/** The runtimes, as tables name them. */
export const RUNTIMES = ["Node", "Deno", "Bun"] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** The words that run a program of JavaScript on one of them. */
export const WORDS: Readonly<Record<Runtime, readonly string[]>> = {
  Node: [runtimePath("node")],
  Deno: [runtimePath("deno"), "run", "-A", "--no-config"],
  Bun: [runtimePath("bun")],
};

/** Makes what is missing, or older than what it is made from. */
export function prepare(): void {
  for (const folder of ["bin", "run", "www", "www/cgi-bin"]) {
    mkdirSync(join(WORK, folder), { recursive: true });
  }
  for (const [name, size] of Object.entries(FILES)) {
    const path = join(DOCUMENTS, name);
    // Text that does not repeat.
    if (!existsSync(path)) writeFileSync(path, randomBytes(size).toString("base64").slice(0, size));
  }
  const huge = join(DOCUMENTS, "1g.bin");
  if (!existsSync(huge)) {
    // A hole: no disk is read.
    writeFileSync(huge, "");
    truncateSync(huge, GIB);
  }
  for (const name of readdirSync(join(BENCH, "tools"))) {
    if (name.endsWith(".c")) compile(join(BENCH, "tools", name), tool(name.slice(0, -2)));
  }
  for (const name of readdirSync(join(BENCH, "scripts"))) {
    const source = join(BENCH, "scripts", name);
    if (name.endsWith(".c")) compile(source, join(SCRIPTS, name.slice(0, -2)), ["-static"]);
    else if (newer(source, join(SCRIPTS, name))) {
      copyFileSync(source, join(SCRIPTS, name));
      chmodSync(join(SCRIPTS, name), 0o755);
    }
  }
}

/** Installs the packages of the peers; returns where they are. */
export function installPackages(): string {
  const folder = join(WORK, "js");
  const stamp = join(folder, `${PACKAGES.join(" ").replaceAll("/", "+")}.installed`);
  if (!existsSync(stamp)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
    execFileSync("npm", ["install", "--silent", "--no-audit", "--no-fund", "--no-save", ...PACKAGES], {
      cwd: folder,
      stdio: "inherit",
    });
    writeFileSync(stamp, "");
  }
  return folder;
}

function compile(source: string, program: string, flags: readonly string[] = []): void {
  if (newer(source, program)) {
    execFileSync("cc", ["-O2", "-Wall", "-Wextra", ...flags, "-o", program, source], { stdio: "inherit" });
  }
}

function newer(source: string, made: string): boolean {
  return !existsSync(made) || statSync(source).mtimeMs > statSync(made).mtimeMs;
}
