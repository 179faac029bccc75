/**
 * The command as npm installs it, put together into a few files: the tests that start the command line, once more with
 * that one in place of the source.
 *
 * @module
 */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Fixture } from "./_fixture.ts";
import { programs, run } from "./_run.ts";

/** Those that see most of it: scripts, listings, logs, signals; threads and processes; what is loaded later, and at once. */
const TESTS = ["process", "workers", "tls", "first_answer"];

/** Tests the command. */
export function testCommand(fixture: () => Fixture): void {
  const onDeno = [programs.deno, "test", "-A", "--no-check", ...files("tests", "ts")];
  const runners = {
    "Deno": onDeno,
    "Bun": [programs.bun, "test", "--timeout=120000", ...files("./tests", "ts")],
    // All tests on Node start the command as it is built (tools/test.js): here it is installed.
    "Node": ["node", "--test", ...files("build/tests", "js", ["process", "first_answer"])],
  };
  for (const [runtime, runner] of Object.entries(runners)) {
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
      await passes(runner, { HTBIN_COMMAND: join(folder, "node_modules/htbin/dist/cli.js") });
    });
  }

  test("the command of the package starts on a Node that cannot be asked for its parts: before 20.16", async () => {
    const preload = join(await fixture().folder("older"), "older.cjs");
    await writeFile(preload, "delete process.getBuiltinModule;");
    const { stdout } = await run("node", ["--require", preload, "dist/cli.js", "--version"]);
    assert.match(stdout, /^htbin \d/);
  });

  test("the command that JSR has passes them on Deno, and is the same but for the names of what it imports", async () => {
    const { packed, registry } = fixture();
    const folder = await fixture().folder("command");
    const env = { NPM_CONFIG_REGISTRY: registry.npm, JSR_URL: registry.jsr, DENO_DIR: join(folder, ".deno") };
    const [ours, theirs] = [packed.files, registry.jsrPackages.get("@htbin/htbin")!.files].map((files) =>
      [...files].filter(([path]) => /^\/dist\/cli[./]/.test(path) && path.endsWith(".js")).sort()
    );
    assert.deepEqual(theirs!.map(codeOf), ours!.map(codeOf));
    // Deno looks at each module before it runs any, also at those that are imported later: 220 take it 60 ms.
    const { stdout } = await run(programs.deno, ["info", "--json", "jsr:@htbin/htbin/cli"], {
      cwd: folder,
      env,
    });
    const { modules } = JSON.parse(stdout) as { readonly modules: readonly { readonly specifier: string }[] };
    const looked = modules.map(({ specifier }) => specifier).filter((name) => name.startsWith(registry.jsr));
    assert.deepEqual(looked.filter((name) => !/\/dist\/cli[./]/.test(name)), []);
    assert.ok(looked.length > 0 && looked.length <= 30, `${looked.length} modules`);
    await passes(onDeno, { ...env, HTBIN_COMMAND: "jsr:@htbin/htbin/cli" });
    assert.deepEqual(registry.missing, []);
  });
}

function files(folder: string, ending: string, tests: readonly string[] = TESTS): string[] {
  return tests.map((name) => `${folder}/cli/${name}_test.${ending}`);
}

async function passes(
  [program = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { stdout, stderr } = await run(program, args, { env });
  assert.match(stdout + stderr, /\b[1-9]\d* pass|\bpass [1-9]/);
}

/** A file's path, and its code with packages named as npm's do it. */
function codeOf([path, bytes]: readonly [string, Uint8Array]): readonly [string, string] {
  return [path, new TextDecoder().decode(bytes).replace(/"npm:([\w-]+)@[^"]*"/g, '"$1"')];
}
