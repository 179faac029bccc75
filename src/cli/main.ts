/**
 * The command line, from its arguments to its exit status.
 *
 * @module
 */

import { printable } from "../log/format.ts";
import { FileError, ListenError, type Runtime } from "../runtime.ts";
import { VERSION } from "../version.ts";
import { usesColours } from "./colours.ts";
import { serveUntilStopped } from "./start.ts";
import { hiddenFiles, readSettingsFile } from "./settings_file.ts";
import { plainArguments } from "./plain_arguments.ts";
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
  let origins: ReadonlyMap<string, string> = new Map();
  try {
    const version = `htbin ${VERSION} (${RUNTIME_NAMES.get(runtime.name)} ${runtime.version})`;
    const given = plainArguments(terminal.args) ??
      (await import("./command_line.ts")).parseArguments(terminal.args, version);
    if (given.kind === "print") {
      await terminal.stdout(given.text);
      return 0;
    }
    const { environment } = runtime.processes;
    const line = await runtime.starter?.() ?? null;
    const worker = line && await import("./workers/work.ts");
    const starter = line && worker && await worker.askOrders(line);
    const named = given.config ?? (environment("HTBIN_CONFIG") || undefined);
    if (given.config === undefined) origins = new Map([["--config", "HTBIN_CONFIG"]]);
    const file = starter ? starter.orders.file : await readSettingsFile(runtime, named);
    let asked;
    try {
      asked = given.complete({ environment, file });
    } finally {
      origins = given.origins;
    }
    const directory = asked.settings.directory ?? terminal.cwd();
    await checkDirectory(runtime, directory);
    const hide = starter?.orders.hide ?? await hiddenFiles(runtime.files, directory, asked.settings, file);
    const colours = usesColours(terminal.isTerminal.stderr, environment);
    const log = terminalLog(terminal, asked.settings, colours);
    const options = {
      ...asked.settings.site,
      static: { ...asked.settings.site.static, hide },
      directory,
      log,
    };
    if (asked.kind === "explain") {
      const { explain } = await import("./explain.ts");
      return await explain(runtime, options, asked.target);
    }
    return worker && starter
      ? await worker.work(starter, runtime, asked.settings, options)
      : await serveUntilStopped(runtime, asked.settings, options, file);
  } catch (error) {
    const message = describe(error).replace(/^--[a-z\d-]+/, (flag) => origins.get(flag) ?? flag);
    terminal.stderr(`htbin: ${printable(message)}\n`);
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
  if (error instanceof ListenError) {
    if (error.reason === "in-use") return `${error.message}; give another, or 0 for any that is free`;
    if (error.reason === "unavailable") return `--bind: ${error.message}`;
  }
  const expected = [UsageError, StartError, ListenError, FileError, TypeError, RangeError];
  return expected.some((type) => error instanceof type) ? error.message : error.stack ?? error.message;
}
