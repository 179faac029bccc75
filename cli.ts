#!/usr/bin/env node
/**
 * The command `htbin`: what npm installs. On Deno and Bun `mod.ts` does the same.
 *
 * @module
 */

import { runtime } from "./adapters/auto.ts";
import { main } from "./src/cli/main.ts";

await main(runtime);
