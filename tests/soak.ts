/**
 * The soak: `SOAK_REQUESTS` requests (10000 unless set) of every unpleasant
 * kind (`SOAK_KINDS`: only these, with commas), and then a look at what is
 * left. Exit status 1 when there is anything.
 *
 *     npm run soak          (on Node; soak:deno, soak:bun)
 *
 * @module
 */

import process from "node:process";
import { runtime } from "./_runtime.ts";
import { soak, type SoakReport } from "./_soak.ts";

/** What memory may have grown by in the second half, in megabytes. */
const GROWTH = 40;

const requests = Number(process.env.SOAK_REQUESTS ?? 10_000);
const seed = Number(process.env.SOAK_SEED ?? 1);
// Ten times what it takes on a slow machine.
const deadline = setTimeout(() => {
  say("no end in sight");
  process.exit(1);
}, 120_000 + requests * 100);

const report = await soak({
  requests,
  seed,
  ...(process.env.SOAK_KINDS === undefined ? {} : { kinds: process.env.SOAK_KINDS.split(",") }),
  onProgress: (done) => say(`${done} of ${requests}`),
});
clearTimeout(deadline);
say(`${requests} requests in ${report.seconds.toFixed(1)} s, on ${runtime.name} ${runtime.version}`);
say(`memory: ${report.memory.half} MB at half, ${report.memory.end} MB at the end`);
const faults = faultsOf(report);
for (const fault of faults) say(fault);
process.exit(faults.length === 0 ? 0 : 1);

function faultsOf({ wrong, processes, descriptors, files, memory, printed }: SoakReport): readonly string[] {
  return [
    ...wrong.map((fault) => `wrong answer: ${fault}`),
    ...processes.map((name) => `process left: ${name}`),
    ...descriptors.map((name) => `descriptor left: ${name}`),
    ...files.map((name) => `file left: ${name}`),
    ...(printed === "" ? [] : [`printed by the server: ${printed}`]),
    ...(memory.end > memory.half + GROWTH
      ? [`memory grew by ${memory.end - memory.half} MB in the second half`]
      : []),
  ];
}

function say(text: string): void {
  process.stdout.write(`soak: ${text}\n`);
}
