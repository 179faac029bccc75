/** A short soak: see `tests/soak.ts` for the long one. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { soak } from "../_soak.ts";

it("nothing is left of 200 requests of every unpleasant kind, and nothing was printed", {
  timeout: 60_000,
}, async () => {
  const report = await soak({ requests: 200, seed: 7 });
  assert.deepEqual(
    {
      wrong: report.wrong,
      processes: report.processes,
      descriptors: report.descriptors,
      files: report.files,
      printed: report.printed,
    },
    { wrong: [], processes: [], descriptors: [], files: [], printed: "" },
  );
});
