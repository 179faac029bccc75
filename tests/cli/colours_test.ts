/** When the log has colours. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { usesColours } from "../../src/cli/colours.ts";
import { startCommand } from "../_command.ts";
import { exchange, get } from "../_http.ts";
import { makeFolder } from "./_folder.ts";

const folder = makeFolder({ "file.txt": "FILE" });
after(folder.remove);

const CASES:
  readonly (readonly [isTerminal: boolean, variables: Readonly<Record<string, string>>, wanted: boolean])[] =
    [
      [true, {}, true],
      [false, {}, false],
      [true, { TERM: "xterm-256color" }, true],
      [true, { TERM: "dumb" }, false],
      [true, { NO_COLOR: "1" }, false],
      [true, { NO_COLOR: "" }, true],
      [false, { FORCE_COLOR: "1" }, true],
      [false, { FORCE_COLOR: "" }, false],
      [true, { FORCE_COLOR: "0" }, false],
      [true, { FORCE_COLOR: "1", TERM: "dumb" }, true],
      [false, { FORCE_COLOR: "3", NO_COLOR: "1" }, false],
    ];

for (const [isTerminal, variables, wanted] of CASES) {
  test(`${isTerminal ? "a terminal" : "a pipe"} with ${JSON.stringify(variables)}: ${wanted}`, () => {
    assert.equal(usesColours(isTerminal, (name) => variables[name]), wanted);
  });
}

test("in a terminal the status has its colour", async () => {
  const server = await startCommand(["0", "--directory", folder.path], {
    terminal: true,
    env: { TERM: "xterm" },
  });
  try {
    await exchange(server.address, get("/missing"));
    await server.printed(/" \x1b\[35m404\x1b\[0m /);
  } finally {
    await server.stop();
  }
});
