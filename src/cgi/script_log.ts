/**
 * What a script says on standard error and how it ended, told to the log or to the caller's hooks.
 *
 * @module
 */

import type { Log } from "../log/events.ts";
import type { ExitStatus } from "../runtime.ts";
import type { Attempt } from "./failure.ts";
import type { CgiOptions, ScriptExit } from "./options.ts";

/** Who is told. */
export interface ScriptLogOptions {
  readonly log: Log;
  readonly onStderr: CgiOptions["onStderr"];
  readonly onExit: CgiOptions["onExit"];
  /** Bytes of standard error per request. */
  readonly limit: number;
}

/** Tells of one script. */
export interface ScriptLog {
  line(line: string): void;
  limitReached(): void;
  exit(status: ExitStatus, stopped: ScriptExit["stopped"], durationMs: number): void;
}

/** What every event of a script says. */
export interface AboutScript {
  readonly script: string;
  readonly pid: number;
  readonly requestId?: string;
}

/** Of the script with this file and process number, for the request of this name. */
export function aboutScript(script: string, pid: number, requestId: string | undefined): AboutScript {
  return requestId === undefined ? { script, pid } : { script, pid, requestId };
}

/** Tells the log that a script has ended. */
export function tellExit(log: Log, about: AboutScript, status: ExitStatus, durationMs: number): void {
  log({ type: "script-exit", ...about, ...status, durationMs });
}

/** Makes it for a script that was started. */
export function createScriptLog(
  { log, onStderr, onExit, limit }: ScriptLogOptions,
  { call }: Attempt,
  pid: number,
): ScriptLog {
  const about = aboutScript(call.scriptFilename, pid, call.connection.requestId);
  function complain(level: "error" | "warning", message: string): void {
    log({ type: "message", level, source: "cgi", message, ...about });
  }
  /** A hook is somebody else's code: its failure must not become the request's. */
  function guard(name: string, hook: () => unknown): void {
    const failed = (error: unknown): void => complain("error", `the hook ${name} failed: ${error}`);
    try {
      const result = hook();
      // One that is async fails later, and would end the process.
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
  return {
    line(line) {
      if (onStderr === undefined) log({ type: "script-stderr", line, ...about });
      else guard("onStderr", () => onStderr(line, call));
    },
    limitReached: () =>
      complain("warning", `more than ${limit} bytes on standard error: the rest is dropped (limits.stderr)`),
    exit(status, stopped, durationMs) {
      tellExit(log, about, status, durationMs);
      if (onExit !== undefined) guard("onExit", () => onExit({ call, pid, ...status, stopped, durationMs }));
    },
  };
}
