/**
 * Writes `htbin.schema.json`: `npm run schema`.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { settingsSchema } from "../src/cli/schema.ts";

writeFileSync("htbin.schema.json", JSON.stringify(settingsSchema(), null, 2) + "\n");
