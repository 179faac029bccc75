/**
 * The command as npm installs it, put together into a few files: the tests that start the command line, once more with
 * that one in place of the source.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Fixture } from "./_fixture.ts";
import { programs, run } from "./_run.ts";

/** Those that see most of it: scripts, listings, logs, signals; threads and processes; what is loaded later. */
const TESTS = ["process", "workers", "tls"];

/** Tests the command. */
export function testCommand(fixture: () => Fixture): void {
  const runners = {
    Deno: [programs.deno, "test", "-A", "--no-check", ...TESTS.map((name) => `tests/cli/${name}_test.ts`)],
    Bun: [programs.bun, "test", "--timeout=120000", ...TESTS.map((name) => `./tests/cli/${name}_test.ts`)],
    Node: ["node", "--test", ...TESTS.map((name) => `build/tests/cli/${name}_test.js`)],
  };
  for (const [runtime, [program = "", ...args]] of Object.entries(runners)) {
    test(`the command of the package passes the tests of the command line on ${runtime}`, async () => {
      const { registry } = fixture();
      const folder = await fixture().folder("command");
      const flags = [
        `--registry=${registry.npm}`,
        `--cache=${join(folder, ".npm")}`,
        "--no-audit",
        "--no-fund",
      ];
      await run("npm", ["install", "--prefix", folder, ...flags, "htbin"]);
      if (runtime === "Node") await run(programs.tsc, ["-p", "tsconfig.test.json"]);
      const command = join(folder, "node_modules/htbin/dist/cli.js");
      const { stdout, stderr } = await run(program, args, { env: { HTBIN_COMMAND: command } });
      assert.match(stdout + stderr, /\b[1-9]\d* pass|\bpass [1-9]/);
    });
  }
}
