/**
 * No flag without a test of what it does: each is on the command line of a server or a command in one of the files here.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { DECLARATIONS, settingName } from "../../src/cli/flags.ts";

/** They look at what the parser makes of flags, or only start a server with them. */
const NOT_THESE = ["command_line_test.ts", "sources_test.ts", "documented_test.ts", "tested_flags_test.ts"];

const FILES = readdirSync("tests/cli").filter((name) =>
  name.endsWith("_test.ts") && !NOT_THESE.includes(name)
);
const TEXT = FILES.map((name) => readFileSync(`tests/cli/${name}`, "utf8")).join("\n");

for (const declaration of DECLARATIONS.flatMap(([, declarations]) => declarations)) {
  const [flag = settingName(declaration)] = /--[a-z\d-]+/.exec(declaration.flags) ?? [];
  test(`${flag} is used by a test that runs it`, () => {
    assert.match(TEXT, new RegExp(`["' ]${flag}["' =]`));
  });
}
