#!/usr/bin/env node
/**
 * The command `htbin`: what npm installs and JSR has as `./cli`, put together into a few files. `mod.ts` as a program is
 * the same.
 *
 * @module
 */

import "./adapters/auto.ts";
import { main } from "./src/cli/main.ts";
import { currentRuntime } from "./src/runtime.ts";

await main(currentRuntime());
