/**
 * What an answer without a body costs beside one with it: of one server, in turns that last a quarter of a second, so
 * that both meet the same machine. Runs of seconds, one after the other, differ by more than these two do.
 *
 * @module
 */

import { ask } from "../ask.ts";
import { isInstalled } from "../contender.ts";
import { htbin } from "../htbin.ts";
import { type Load, send } from "../load.ts";
import type { Measurement } from "../run.ts";
import { STATIC_PEERS } from "../static_peers.ts";
import { servers } from "../suite.ts";
import { aimCell, markdown, median, quartiles } from "../table.ts";
import { KIB } from "../work.ts";

/** At most as much as the answer with a body. */
const AIM = 1;
const SECONDS = 0.25;
const TURNS = 12;
/** Of a second each, before anything is measured. */
const WARM_UP = 5;

const SETTING = { cores: 1, log: false } as const;
const WITH_BODY: Load = { path: "/1k.html", connections: 32, seconds: SECONDS, bytes: KIB };

/** Measures it, so many turns as there are rounds, times twelve. */
export const noBody: Measurement = {
  name: "no body",
  about: "processor time for 304 and for HEAD, beside that for 200, of 1 KiB",
  async measure({ rounds }) {
    const rows: string[][] = [];
    for (const contender of [...htbin([], /^/), ...STATIC_PEERS.slice(0, 1)].filter(isInstalled)) {
      const pool = servers();
      try {
        const server = await pool.get(contender, SETTING);
        const answer = await ask(`http://127.0.0.1:${server.port}/1k.html`);
        await answer.body?.cancel();
        const tag = answer.headers.get("etag");
        const loads: readonly Load[] = [
          WITH_BODY,
          { ...WITH_BODY, headers: [`If-None-Match: ${tag}`], status: 304, bytes: 0 },
          { ...WITH_BODY, method: "HEAD" },
        ];
        for (let second = 0; second < WARM_UP; second++) {
          for (const load of loads) await send(server, 1, { ...load, seconds: 1 / loads.length });
        }
        const costs: number[][] = [];
        for (let turn = 0; turn < rounds * TURNS; turn++) {
          const own = new Map<Load, number>();
          for (const load of turn % 2 === 0 ? loads : [...loads].reverse()) {
            const { cpu, requests, errors } = await send(server, 1, load);
            if (errors > 0) throw new Error(`${contender.name}: ${errors} wrong answers`);
            own.set(load, cpu / requests * 1e6);
          }
          costs.push(loads.map((load) => own.get(load)!));
        }
        const [whole, notModified, head] = [0, 1, 2].map((column) => costs.map((of) => of[column]!));
        const to = (costs: readonly number[]) => costs.map((cost, turn) => cost / whole![turn]!);
        rows.push([
          contender.name,
          `${median(whole!).toFixed(1)} µs`,
          ...[to(notModified!), to(head!)].flatMap((ratios) => [
            quartiles(ratios),
            contender.jit ? aimCell(median(ratios), AIM, "most") : "",
          ]),
        ]);
      } finally {
        await pool.stop();
      }
    }
    return markdown(["", "200", "304", "aim", "HEAD", "aim"], rows);
  },
};
