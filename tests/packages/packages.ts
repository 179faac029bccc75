/**
 * The packages as users get them: what is in them, whether they install, type-check and run in a new project of each
 * runtime, from each registry. Slower than other tests and the same on every runtime, so it is run once, by Deno:
 *
 *     npm run test:packages
 */

import { after, before } from "node:test";
import { type Fixture, prepare } from "./_fixture.ts";
import { testBundles } from "./bundle.ts";
import { testCodeCache } from "./code_cache.ts";
import { testCommand } from "./command.ts";
import { testConsumers } from "./consumers.ts";
import { testContents } from "./contents.ts";
import { testPublishing } from "./publish.ts";

let fixture: Fixture;
before(async () => {
  fixture = await prepare();
});
after(() => fixture.remove());

testContents(() => fixture);
testBundles(() => fixture);
testPublishing(() => fixture);
testConsumers(() => fixture);
testCommand(() => fixture);
testCodeCache(() => fixture);
