/**
 * Writes `htbin.schema.json` and the tables of `docs/command-line.md`, of the declared settings: `npm run schema`.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { settingsSchema } from "../src/cli/schema.ts";
import { FLAGS_PAGE, withFlagTables } from "../tests/_flag_tables.ts";

writeFileSync("htbin.schema.json", JSON.stringify(settingsSchema(), null, 2) + "\n");
writeFileSync(FLAGS_PAGE, withFlagTables(readFileSync(FLAGS_PAGE, "utf8")));
