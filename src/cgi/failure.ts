/**
 * What is said when a script fails: one line to the operator, a plain page to the client, and the whole story to a
 * developer on the same machine.
 *
 * @module
 */

import type { ShowError } from "../error_page.ts";
import { parseHost } from "../host.ts";
import type { Log, LogLevel } from "../log/events.ts";
import type { Bytes, ExitStatus } from "../runtime.ts";
import { developerPage } from "./developer_page.ts";
import type { Diagnose } from "./diagnosis.ts";
import type { ScriptCall } from "./options.ts";
import type { Script } from "./script.ts";
import type { RunningScript } from "./supervisor.ts";

/** Something that went wrong with a request for a script. */
export interface Failure {
  readonly status: number;
  /** What happened: the part of the log line that nobody else knows. */
  readonly reason: string;
  /** What to do about it, where that is known: else it is looked into. */
  readonly advice?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** The script, if it was started. */
  readonly running?: RunningScript;
  /** The first bytes that it wrote. */
  readonly sample?: Bytes;
  /** What the script itself has to say to the client, in the place of an error page. */
  readonly page?: Response;
}

/** A request for a script. */
export interface Attempt {
  readonly call: ScriptCall;
  readonly script: Script;
}

/** What saying it depends on. */
export interface FailureOptions {
  readonly log: Log;
  readonly renderError: ShowError;
  readonly development: boolean;
  readonly diagnose: Diagnose;
}

/** Says what went wrong. */
export interface Failures {
  /** Logs a failure and answers it. */
  answer(attempt: Attempt, failure: Failure): Promise<Response>;
  /** Logs what broke a response off after its head was sent. */
  brokenOff(
    attempt: Attempt,
    running: RunningScript,
    reason: string,
  ): Promise<void>;
  /** Logs something odd about a script that did not fail. */
  warn(attempt: Attempt, message: string, running?: RunningScript): void;
}

/** Makes the reports of one `cgi()`. */
export function createFailures(options: FailureOptions): Failures {
  const { log, renderError, development, diagnose } = options;

  function write(
    level: LogLevel,
    { call }: Attempt,
    message: string,
    running?: RunningScript,
  ): void {
    const { requestId } = call.connection;
    log({
      type: "message",
      level,
      source: "cgi",
      message,
      script: call.scriptFilename,
      ...(requestId === undefined ? {} : { requestId }),
      ...(running === undefined ? {} : { pid: running.pid }),
    });
  }
  async function tell(
    { script }: Attempt,
    { reason, running, advice }: Pick<Failure, "reason" | "running" | "advice">,
  ): Promise<string> {
    const exit = running?.exit() ?? null;
    const ending = exit === null ? "" : describeExit(exit);
    const told = ending === "" || reason.includes(ending) ? reason : `${reason} (${ending})`;
    const toDo = advice ?? (mayBeUnrunnable(running) ? await diagnose(script) : null);
    return toDo === null ? told : `${told}; ${toDo}`;
  }

  return {
    async answer(attempt, failure) {
      const { running, status, headers = {} } = failure;
      const { request } = attempt.call;
      const words = await running?.lastWords() ?? [];
      const story = await tell(attempt, failure);
      const level = status < 500 ? "warning" : "error";
      write(level, attempt, `answered ${status}: ${story}`, running);
      if (development && isOfTheScript(status) && isLocal(attempt.call)) {
        return developerPage({ request, headers, status, story, words, sample: failure.sample ?? null });
      }
      return failure.page ?? await renderError({ status, request, headers });
    },
    async brokenOff(attempt, running, reason) {
      await running.lastWords();
      const story = await tell(attempt, { reason, running });
      write("error", attempt, `response broken off: ${story}`, running);
    },
    warn: (attempt, message, running) => write("warning", attempt, message, running),
  };
}

/** An exit status in words. */
export function describeExit(exit: ExitStatus): string {
  return exit.signal === null ? `exit status ${exit.code}` : `ended by ${exit.signal}`;
}

/** Whether an exit is a success. */
export function isSuccess(exit: ExitStatus): boolean {
  return exit.code === 0;
}

/** Whether the script is to blame, and not the request or the server's load. */
function isOfTheScript(status: number): boolean {
  return status === 500 || status === 502 || status === 504;
}

/**
 * Whether the script may never have come to its first line: it did not start, or ended by itself with an error and
 * without a single word of its own.
 */
function mayBeUnrunnable(running: RunningScript | undefined): boolean {
  if (running === undefined) return false;
  const exit = running.exit();
  return exit !== null && exit.code !== null && exit.code !== 0 && !running.hasWritten();
}

/**
 * Whether the client is on this machine. Behind a proxy every client seems to be: so the fields that a proxy adds, and
 * that no client can take away, count against it. And so does a name that is not this machine's own: a web page whose
 * name was made to lead here (DNS rebinding) may read what it fetches.
 */
function isLocal({ request, connection }: ScriptCall): boolean {
  const host = parseHost(request.headers.get("host") ?? "")?.host ?? "";
  return isLoopback(connection.remote?.hostname ?? "") &&
    (/^(?:.+\.)?localhost$/.test(host) || isLoopback(host.replace(/^\[|\]$/g, ""))) &&
    !PROXY_FIELDS.some((name) => request.headers.has(name));
}

function isLoopback(address: string): boolean {
  return /^(?:::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/i.test(address);
}

const PROXY_FIELDS: readonly string[] = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-real-ip",
];
