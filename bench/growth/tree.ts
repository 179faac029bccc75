/**
 * A tree of a million files: nothing may be looked through when the server starts.
 *
 * @module
 */

import { existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contender } from "../contender.ts";
import { firstAnswer } from "../first_answer.ts";
import type { Measurement } from "../run.ts";
import { aimCell, markdown, median, spread } from "../table.ts";

const FOLDERS = 1000;
const FILES = 1000;

/** The start may take no longer than without them, but for what one run differs from another. */
const AIM = 1.1;

/** `make` is given the folder to serve. */
export function tree(make: (root: string) => readonly Contender[]): Measurement {
  return {
    name: "tree",
    about: "a million files: time from the start to the first answer, and memory then, beside one file",
    async measure({ rounds }) {
      // In memory where there is such a place.
      const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "htbin-bench-"));
      try {
        const small = join(root, "small");
        const large = join(root, "large");
        mkdirSync(small);
        mkdirSync(large);
        for (const folder of [small, large]) writeFileSync(join(folder, "1k.html"), "x".repeat(1024));
        plant(large);
        const found = new Map<string, { readonly times: number[]; readonly memory: number[] }>();
        for (let run = 0; run <= rounds * 3; run++) {
          for (const folder of [small, large]) {
            for (const contender of make(folder)) {
              const { seconds, memory } = await firstAnswer(contender);
              const key = `${contender.name} ${folder}`;
              const seen = found.get(key) ?? { times: [], memory: [] };
              found.set(key, seen);
              if (run === 0) continue;
              seen.times.push(seconds);
              seen.memory.push(memory);
            }
          }
        }
        const rows = make(small).map(({ name }) => {
          const before = found.get(`${name} ${small}`)!;
          const after = found.get(`${name} ${large}`)!;
          const ratios = after.times.map((time, run) => time / before.times[run]!);
          return [
            name,
            spread(ratios),
            aimCell(median(ratios), AIM, "most"),
            ((median(after.memory) - median(before.memory)) / 1e6).toFixed(1),
          ];
        });
        return markdown(["", "ratio of the time", "aim", "more MB"], rows);
      } finally {
        rmSync(root, { recursive: true });
      }
    },
  };
}

/** Folders of files that are all the same one, so that they cost nothing but their names. */
function plant(root: string): void {
  for (let folder = 0; folder < FOLDERS; folder++) {
    const path = join(root, `folder-${folder}`);
    mkdirSync(path);
    const first = join(path, "0.html");
    writeFileSync(first, "x");
    for (let file = 1; file < FILES; file++) linkSync(first, join(path, `${file}.html`));
  }
}
