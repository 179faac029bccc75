/**
 * The recipes of `docs/recipes.md`, taken from the page: its files, in a folder in place of `/srv` and `/etc`, and its
 * commands.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type RunningCommand, startCommand } from "./_command.ts";
import { write } from "./cgi/_temporary.ts";
import { mustRun } from "./programs/_command.ts";

/** What stands under one heading. */
export interface Recipe {
  /** Texts of the files that are named above their blocks. */
  readonly files: ReadonlyMap<string, string>;
  /** All blocks, by the language that they are marked with. */
  readonly blocks: readonly { readonly language: string; readonly text: string }[];
}

/** Reads one. */
export function recipe(heading: string): Recipe {
  const page = readFileSync("docs/recipes.md", "utf8");
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  assert.ok(section, `docs/recipes.md has no recipe ${heading}`);
  const files = new Map<string, string>();
  const blocks: Recipe["blocks"][number][] = [];
  const found = section.matchAll(/(?:^`([^`\n]+)`(?:, executable)?:\n\n)?^```(\w+)\n([^]*?)^```$/gm);
  for (const [, path, language, text] of found) {
    blocks.push({ language: language!, text: text! });
    if (path !== undefined) files.set(path, text!);
  }
  return { files, blocks };
}

/** A recipe's place on this machine. */
export interface Kitchen {
  readonly folder: string;
  /** Paths and ports of the page as they are here. */
  here(text: string): string;
  /** The command line that begins with these words, here. */
  command(beginning: string): string;
  /** Runs it. */
  run(beginning: string, env?: Readonly<Record<string, string>>): Promise<string>;
  /** Starts the recipe's server, on any port; from then on that is the page's port. */
  serve(...changes: readonly (readonly [from: string, to: string])[]): Promise<RunningCommand>;
}

/** Puts a recipe's files into a folder, which must be empty, and its site beside them. */
export function prepareRecipe({ files, blocks }: Recipe, folder: string): Kitchen {
  let port = "8000";
  const here = (text: string) =>
    text.replace(/(?<=^|[\s"'=(])\/(srv|etc)(?=\/)/gm, `${folder}/$1`).replace(/:8000\b/g, `:${port}`);
  for (const [path, text] of files) {
    if (path.startsWith("/")) write(join(folder, path), here(text), path.includes("cgi-bin") ? 0o755 : 0o644);
  }
  write(join(folder, "srv/www/page.txt"), "a page\n", 0o644);
  const lines = blocks.filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.replace(/\\\n\s*/g, "").trim().split("\n"));
  function command(beginning: string): string {
    const line = lines.find((line) => line.startsWith(beginning));
    assert.ok(line, `docs/recipes.md has no command ${beginning}`);
    return here(line);
  }
  return {
    folder,
    here,
    command,
    run: (beginning, env = {}) => {
      const { PATH = "" } = process.env;
      return mustRun("/bin/sh", ["-c", command(beginning)], { cwd: folder, env: { PATH, ...env } });
    },
    async serve(...changes) {
      const words = command("htbin ").split(" ").slice(1);
      const args = words.map((word) =>
        word === "8000" ? "0" : changes.find(([from]) => from === word)?.[1] ?? word
      );
      const server = await startCommand(args, { cwd: folder });
      port = String(server.address.port);
      return server;
    },
  };
}
