/**
 * Bytes that JavaScript allocates for a request: counted by the collector of garbage, which says how much there was
 * before and after it. Memory outside of its heap, such as the bytes of a file, is not in it.
 *
 * @module
 */

import { type Contender, type Running, type Start, start } from "../contender.ts";
import { htbin } from "../htbin.ts";
import { type Load, send } from "../load.ts";
import type { Measurement } from "../run.ts";
import { STATIC_PEERS } from "../static_peers.ts";
import { markdown, median, spread } from "../table.ts";
import { KIB, MIB, runtimePath } from "../work.ts";

const PEERS = /^(bare node:http|sirv|send|hono)\b/;

const file: Load = { path: "/1k.html", connections: 8, seconds: 5, bytes: KIB };
const script: Load = { path: "/cgi-bin/hello", connections: 8, seconds: 5, bytes: 5 };

/** A request for a file, and one for a script. */
export const allocation: Measurement = {
  name: "allocation",
  about:
    "KiB that JavaScript allocates for a request of 1 KiB, and for one of a script in C; ratio to bare node:http",
  async measure({ rounds, seconds }) {
    const files = [...htbin([], /^/), ...STATIC_PEERS.filter(({ name }) => PEERS.test(name))];
    const scripts = htbin(["--cgi"], /^/, ", a script");
    const kib = new Map<string, number[]>();
    for (let round = 0; round < rounds; round++) {
      for (const contender of [...files, ...scripts]) {
        const load = scripts.includes(contender) ? script : file;
        const bytes = await allocated(contender, { ...load, seconds: seconds ?? load.seconds });
        kib.set(contender.name, [...kib.get(contender.name) ?? [], bytes / KIB]);
      }
    }
    const rows = [...kib].map(([name, values]) => {
      const runtime = /(?<= on )\w+/.exec(name)![0];
      const bare = median(kib.get(`bare node:http on ${runtime}`)!);
      return [name, spread(values, 1), (median(values) / bare).toFixed(1)];
    });
    return markdown(["", "KiB for each", "ratio"], rows);
  },
};

async function allocated(contender: Contender, load: Load): Promise<number> {
  const server = await start({ ...contender, start: (setting) => tracing(contender.start(setting)) }, {
    log: false,
    cores: 1,
  });
  try {
    await send(server, 1, { ...load, seconds: 4 });
    const before = collected(server);
    const { requests } = await send(server, 1, load);
    return (collected(server) - before) / requests;
  } finally {
    await server.stop();
  }
}

/** Makes the runtime tell what the collector does, line by line. */
function tracing({ argv, env }: Start): Start {
  const [program, ...args] = argv;
  const flags = args[0] === "run" ? ["run", "--v8-flags=--trace-gc"] : ["--trace-gc"];
  const rest = args[0] === "run" ? args.slice(1) : args;
  if (program === runtimePath("bun")) return { argv, env: { ...env, BUN_JSC_logGC: "1" } };
  return { argv: ["stdbuf", "-oL", program!, ...flags, ...rest], env: { ...env } };
}

/** Bytes that were allocated from the first collection to the last. */
function collected(server: Running): number {
  // V8: "Scavenge 6.3 (8.7) -> 4.6 (8.7) MB". JavaScriptCore: "START M 2202kb", and maybe on another line "=> 1258kb, p=".
  const found = server.output().matchAll(
    /([\d.]+) \([\d.]+\) -> ([\d.]+) \([\d.]+\) MB|START M (\d+)kb|=> (\d+)kb, p=/g,
  );
  let sum = 0;
  let left: number | null = null;
  for (const [, megabytes, megabytesLeft, kilobytes, kilobytesLeft] of found) {
    const unit = megabytes === undefined ? KIB : MIB;
    const peak = megabytes ?? kilobytes;
    const after = megabytesLeft ?? kilobytesLeft;
    if (peak !== undefined && left !== null) sum += Number(peak) * unit - left;
    if (after !== undefined) left = Number(after) * unit;
  }
  return sum;
}
