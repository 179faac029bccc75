/**
 * What an installation puts on the disk.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Measurement } from "../run.ts";
import { markdown } from "../table.ts";
import { PROJECT, WORK } from "../work.ts";

/** Others that are a command. */
const PEERS = ["http-server@14.1.1", "serve@14.2.5", "sirv-cli@3.0.1"];

/** Installed by npm, with all that comes along. */
export const packageSize: Measurement = {
  name: "package",
  about: "what `npm install` of a command puts on the disk",
  // deno-lint-ignore require-await -- like the others
  async measure() {
    mkdirSync(join(WORK, "run"), { recursive: true });
    const folder = mkdtempSync(join(WORK, "run/package-"));
    try {
      const packed = npm(PROJECT, "pack", "--json", "--ignore-scripts", "--pack-destination", folder);
      const [{ filename, size }] = JSON.parse(packed);
      const rows = [["htbin", join(folder, filename)], ...PEERS.map((name) => [name, name])].map(
        ([name, from]) => [name!, ...installed(join(folder, name!), from!)],
      );
      const table = markdown(["", "packages", "files", "KiB"], rows);
      return `${table}\n\nThe archive of htbin itself is ${kib(size)} KiB.`;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

function installed(folder: string, from: string): readonly string[] {
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  npm(folder, "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", from);
  const files = readdirSync(join(folder, "node_modules"), { recursive: true, encoding: "utf8" });
  const packages = files.filter((path) =>
    /^((.*\/)?node_modules\/)?(@[^/]+\/)?[^/@]+\/package\.json$/.test(path)
  );
  const infos = files.map((path) => lstatSync(join(folder, "node_modules", path))).filter((info) =>
    info.isFile()
  );
  const bytes = infos.reduce((sum, { size }) => sum + size, 0);
  return [String(packages.length), String(infos.length), kib(bytes)];
}

function npm(cwd: string, ...args: readonly string[]): string {
  return execFileSync("npm", [...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(0);
}
