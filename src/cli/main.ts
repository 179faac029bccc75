/**
 * The command line, from its arguments to its exit status.
 *
 * @module
 */

import { printable } from "../log/format.ts";
import { FileError, ListenError, type Runtime } from "../runtime.ts";
import { VERSION } from "../version.ts";
import { parseCommandLine } from "./command_line.ts";
import { explain } from "./explain.ts";
import { serveUntilStopped } from "./start.ts";
import { StartError } from "./start_error.ts";
import { terminalLog } from "./terminal_log.ts";
import { UsageError } from "./usage_error.ts";

/** The runtimes as their makers write them. */
const RUNTIME_NAMES: ReadonlyMap<Runtime["name"], string> = new Map([
  ["deno", "Deno"],
  ["bun", "Bun"],
  ["node", "Node.js"],
]);

/** Runs the command line of this process, and ends it. */
export async function main(runtime: Runtime): Promise<void> {
  await runtime.terminal.exit(await run(runtime));
}

/**
 * Runs the command line. Resolves with the exit status: 0 when all is done, also after a signal; 2 for wrong usage; 1
 * when the server cannot start.
 */
export async function run(runtime: Runtime): Promise<number> {
  const { terminal } = runtime;
  try {
    const version = `htbin ${VERSION} (${RUNTIME_NAMES.get(runtime.name)} ${runtime.version})`;
    const asked = parseCommandLine(terminal.args, version);
    if (asked.kind === "print") {
      await terminal.stdout(asked.text);
      return 0;
    }
    const directory = asked.settings.directory ?? terminal.cwd();
    await checkDirectory(runtime, directory);
    const options = { ...asked.settings.site, directory, log: terminalLog(terminal, asked.settings) };
    return asked.kind === "explain"
      ? await explain(runtime, options, asked.target)
      : await serveUntilStopped(runtime, asked.settings, options);
  } catch (error) {
    terminal.stderr(`htbin: ${printable(describe(error))}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function checkDirectory({ files }: Runtime, directory: string): Promise<void> {
  const info = await files.stat(directory);
  if (info === null) throw new StartError(`--directory: there is no folder ${directory}`);
  if (info.kind !== "directory") throw new StartError(`--directory: ${directory} is not a folder`);
}

/** An error in one line. Only one that nobody expected tells where it came from. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ListenError && error.reason === "in-use") {
    return `${error.message}; give another, or 0 for any that is free`;
  }
  const expected = [UsageError, StartError, ListenError, FileError, TypeError, RangeError];
  return expected.some((type) => error instanceof type) ? error.message : error.stack ?? error.message;
}
