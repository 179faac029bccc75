/**
 * What htbin costs beside its speed: `npm run bench:costs`, `-- --help` for its flags.
 *
 * @module
 */

import { allocation } from "./costs/allocation.ts";
import { eventLoop } from "./costs/event_loop.ts";
import { noBody } from "./costs/no_body.ts";
import { packageSize } from "./costs/package.ts";
import { startUp } from "./costs/start_up.ts";
import { htbin } from "./htbin.ts";
import { runMeasurements } from "./run.ts";

await runMeasurements(
  "costs",
  "Costs",
  [startUp, allocation, eventLoop, noBody, packageSize],
  htbin([], /^/),
);
