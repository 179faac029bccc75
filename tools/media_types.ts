/**
 * Writes `src/static/media_type_table.ts`, of what `@std/media-types` knows: `npm run media-types`.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { mediaTypeTable, TABLE_FILE } from "../tests/_media_type_table.ts";

writeFileSync(TABLE_FILE, await mediaTypeTable());
