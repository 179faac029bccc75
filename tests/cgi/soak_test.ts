/** A short soak: see `tests/soak.ts` for the long one. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { soak } from "../_soak.ts";

it("nothing is left of 150 requests of every unpleasant kind", { timeout: 60_000 }, async () => {
  const report = await soak({ requests: 150, seed: 7 });
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
