/** A short soak: see `tests/soak.ts` for the long one. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { runtime } from "../_runtime.ts";
import { soak } from "../_soak.ts";
import { KINDS } from "../_soak_kinds.ts";

/**
 * `Deno.serve` (2.9.6) never closes the connection of a client that leaves in the middle of its request's body while
 * the response is being streamed: the pending read of the body does not settle.
 */
const leaking = runtime.name === "deno" ? ["leavesDuringUpload"] : [];

it("nothing is left of 150 requests of every unpleasant kind", { timeout: 60_000 }, async () => {
  const kinds = Object.keys(KINDS).filter((kind) => !leaking.includes(kind));
  const report = await soak({ requests: 150, seed: 7, kinds });
  assert.deepEqual(
    {
      wrong: report.wrong,
      processes: report.processes,
      descriptors: report.descriptors,
      files: report.files,
    },
    { wrong: [], processes: [], descriptors: [], files: [] },
  );
});
