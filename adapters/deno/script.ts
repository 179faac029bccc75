/**
 * This process as a CGI script, on Deno.
 *
 * @module
 */

import { type Bytes, ClosedOutputError, type ScriptProcess } from "../../src/runtime.ts";
import { divertibleConsole } from "../shared/divert_console.ts";
import { parseEnvironment } from "../shared/environment_bytes.ts";
import { limitedInput } from "../shared/limited_input.ts";

/** What makes a request's path: without it, another than the requested would be answered. */
const PATH = ["SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"];

const write = Deno.stdout.write.bind(Deno.stdout);
const divertConsole = divertibleConsole();

/** The process on Deno. */
export const script: ScriptProcess = {
  args: Deno.args,
  environment,
  unset: (name) => Deno.env.delete(name),
  stdin: (limit) => limitedInput(limit, read, () => {}),
  async stdout(bytes) {
    try {
      for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await write(rest));
    } catch (error) {
      throw isClosed(error) ? new ClosedOutputError("Nobody reads the output", { cause: error }) : error;
    }
  },
  stderr(text) {
    try {
      const bytes = new TextEncoder().encode(text);
      for (let rest = bytes; rest.length > 0;) rest = rest.subarray(Deno.stderr.writeSync(rest));
    } catch {
      // Nobody is there to be told.
    }
  },
  prepare() {
    divertConsole();
    divertStandardOutput();
  },
  onStop(callback) {
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", callback);
  },
  exit: (code) => Deno.exit(code),
};

/** `node:process` writes with these methods, too. */
function divertStandardOutput(): void {
  const { stderr } = Deno;
  Object.defineProperties(Deno.stdout, {
    write: { value: stderr.write.bind(stderr) },
    writeSync: { value: stderr.writeSync.bind(stderr) },
    writable: { get: () => stderr.writable },
  });
}

async function read(buffer: Bytes): Promise<number | null> {
  return await Deno.stdin.read(buffer);
}

function environment(): Record<string, string> {
  const whole = wholeEnvironment();
  if (whole !== null) return whole;
  const variables = Deno.env.toObject();
  for (const name of PATH) {
    if (!(name in variables) && isHidden(name)) variables[name] = "\ufffd";
  }
  return variables;
}

/** `null` where there is no /proc, and without the permission for it, which `-A` gives. */
function wholeEnvironment(): Record<string, string> | null {
  if (Deno.build.os !== "linux") return null;
  try {
    return parseEnvironment(Deno.readFileSync("/proc/self/environ"));
  } catch {
    return null;
  }
}

/** Whether a variable is there that Deno does not show, as it is not UTF-8. */
function isHidden(name: string): boolean {
  try {
    Deno.env.get(name);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.InvalidData;
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset;
}
