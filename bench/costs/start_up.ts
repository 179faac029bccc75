/**
 * From the start of a process to its first answer.
 *
 * @module
 */

import { join } from "node:path";
import { type Contender, isInstalled } from "../contender.ts";
import { firstAnswer } from "../first_answer.ts";
import { htbin } from "../htbin.ts";
import type { Measurement } from "../run.ts";
import { STATIC_PEERS } from "../static_peers.ts";
import { aimCell, markdown, median, spread } from "../table.ts";
import { BENCH, RUNTIMES, WORDS } from "../work.ts";

/** What its ratio to the least server of its runtime should be at most. */
const AIM = 1.3;

const PEERS = /^(nginx|lighttpd|Caddy|Python http\.server|sirv on Node)$/;

/** What the least server is made of: the runtime's own, which is `node:http` on Node; that; and what a server of files takes. */
const KINDS = {
  Node: { "": "", files: " (node:http, node:fs)" },
  Deno: { "": "", node: " (node:http)", files: " (node:http, node:fs)" },
  Bun: { "": "", node: " (node:http)", files: " (node:http, node:fs)" },
};

/** The least servers of each runtime. */
function hellos(): readonly Contender[] {
  return RUNTIMES.flatMap((runtime) =>
    Object.entries(KINDS[runtime]).map(([kind, suffix]) => ({
      name: `hello on ${runtime}${suffix}`,
      needs: [WORDS[runtime][0]!],
      version: ["--version"],
      cases: /^/,
      start: ({ port }) => ({
        argv: [...WORDS[runtime], join(BENCH, "servers/hello.mjs"), String(port), ...kind ? [kind] : []],
      }),
    }))
  );
}

/** Measures it, five times as often as there are rounds. */
export const startUp: Measurement = {
  name: "start-up",
  about:
    "from the start of a process to the end of its first answer; of htbin and of servers of files, 1 KiB",
  async measure({ rounds }) {
    const contenders = [
      ...hellos(),
      ...htbin([], /^/),
      ...STATIC_PEERS.filter(({ name }) => PEERS.test(name)),
    ]
      .filter(isInstalled);
    const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
    // The first one fills caches, of files and of compiled modules, which some keep when they have served for a while.
    for (let run = 0; run <= rounds * 5; run++) {
      for (const contender of contenders) {
        const { seconds } = await firstAnswer(contender, run === 0 ? 5000 : 0);
        if (run > 0) times.get(contender.name)!.push(seconds * 1000);
      }
    }
    const rows = contenders.map(({ name }) => {
      const own = times.get(name)!;
      const cells = [name, `${median(own).toFixed(0)} ms`];
      const runtime = /^htbin on (\w+)$/.exec(name)?.[1];
      if (runtime === undefined) return cells;
      const hello = times.get(`hello on ${runtime}`)!;
      const ratios = own.map((time, run) => time / hello[run]!);
      const parts = times.get(`hello on ${runtime} (node:http, node:fs)`)!;
      return [
        ...cells,
        spread(ratios),
        aimCell(median(ratios), AIM, "most"),
        median(own.map((time, run) => time / parts[run]!)).toFixed(2),
      ];
    });
    return markdown(
      ["", "time", "to hello on its runtime", "aim", "to that with node:http and node:fs"],
      rows,
    );
  },
};
