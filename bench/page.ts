/**
 * `bench/results.md`: a section for each benchmark and a table for each case. A run replaces the tables of the cases
 * that it has run, and leaves the others.
 *
 * @module
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { BENCH } from "./work.ts";

/** A part of the page under a heading. */
export interface Part {
  readonly heading: string;
  readonly text: string;
}

const PAGE = join(BENCH, "results.md");
const TITLE = `# Results

Written by the commands that stand above the tables; [README.md](README.md) says how they measure and how to read them.
`;

/** Puts parts into a section, in place of those of the same heading. `order` is that of all headings there are. */
export function writePage(section: string, order: readonly string[], parts: readonly Part[]): void {
  const page = existsSync(PAGE) ? readFileSync(PAGE, "utf8") : "";
  const sections = split(page, "## ");
  const old = split(sections.get(section) ?? "", "### ");
  for (const { heading, text } of parts) old.set(heading, `\n${text.trim()}\n\n`);
  const kept = order.filter((heading) => old.has(heading));
  sections.set(section, `\n${kept.map((heading) => `### ${heading}\n${old.get(heading)}`).join("")}`);
  const text = [...sections].map(([heading, text]) => `## ${heading}\n${text.trimEnd()}\n`).join("\n");
  writeFileSync(PAGE, `${TITLE}\n${text}`);
}

/** What it was measured on, in general terms. */
export function machine(): string {
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `${process.platform}, ${availableParallelism()} processors, ${gibibytes} GiB`;
}

/** The texts below headings that begin with `mark`, by heading. */
function split(text: string, mark: string): Map<string, string> {
  const parts = text.split(new RegExp(`^${mark}`, "m")).slice(1);
  return new Map(parts.map((part) => {
    const end = part.indexOf("\n");
    return [part.slice(0, end), part.slice(end + 1)];
  }));
}
