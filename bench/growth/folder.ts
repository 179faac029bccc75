/**
 * More files in one folder: the time of its listing, and of one of its files.
 *
 * @module
 */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Contender, start } from "../contender.ts";
import { send } from "../load.ts";
import type { Measurement } from "../run.ts";
import { markdown, spread } from "../table.ts";
import { WORK } from "../work.ts";

const COUNTS = [10, 100, 1000, 10_000, 100_000];

/** `make` is given the folder to serve. */
export function folder(make: (root: string) => readonly Contender[]): Measurement {
  return {
    name: "folder",
    about: "a folder of 10 to 100,000 files: median time of its listing and of one file, in milliseconds",
    async measure({ rounds }) {
      const root = join(WORK, "folders");
      const contenders = make(root);
      const times = new Map<string, number[]>();
      try {
        for (const count of COUNTS) fill(join(root, String(count)), count);
        for (let round = 0; round < rounds; round++) {
          for (const contender of contenders) {
            const server = await start(contender, { log: false, cores: 1 });
            try {
              for (const count of COUNTS) {
                for (const path of [`/${count}/`, `/${count}/7.txt`]) {
                  const load = { path, connections: 1, seconds: 10, requests: count < 10_000 ? 300 : 5 };
                  await send(server, 1, load);
                  const { p50, requests } = await send(server, 1, load);
                  const key = `${contender.name} ${path}`;
                  if (requests > 0) times.set(key, [...times.get(key) ?? [], p50 * 1e3]);
                }
              }
            } finally {
              await server.stop();
            }
          }
        }
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
      const rows = contenders.flatMap(({ name }) =>
        (["listing", "file"] as const).map((what) => [
          `${name}, ${what}`,
          ...COUNTS.map((count) => {
            const values = times.get(`${name} /${count}/${what === "file" ? "7.txt" : ""}`);
            return values === undefined ? "over 10 s" : spread(values);
          }),
        ])
      );
      return markdown(["", ...COUNTS.map((count) => count.toLocaleString("en"))], rows);
    },
  };
}

function fill(path: string, count: number): void {
  mkdirSync(path, { recursive: true });
  for (let file = 0; file < count; file++) writeFileSync(join(path, `${file}.txt`), "x");
}
