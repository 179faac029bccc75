/**
 * Runs a script that was found: waits for a place, takes the request's body, starts the process, and sees to it that
 * whatever happens ends in one answer and with nothing left over.
 *
 * @module
 */

import type { Log } from "../log/events.ts";
import { requestUrl } from "../request_path.ts";
import { respond } from "../response.ts";
import {
  type ChildProcess,
  type FileSystem,
  type ProcessHost,
  SpawnError,
} from "../runtime.ts";
import { answerWithScript } from "./answer.ts";
import { queryArguments } from "./arguments.ts";
import {
  type BodyRefusal,
  createBodyHost,
  type DeclaredBody,
  declaredBody,
  type ScriptInput,
} from "./body.ts";
import type { Diagnose } from "./diagnosis.ts";
import { createEnvironment } from "./environment.ts";
import { type Attempt, type Failure, type Failures } from "./failure.ts";
import type { CgiOptions } from "./options.ts";
import type { Place, Queue, Rejection } from "./queue.ts";
import { redirectSource } from "./redirect.ts";
import { createScriptLog } from "./script_log.ts";
import { createSendFile } from "./sendfile.ts";
import type { RunSettings } from "./settings.ts";
import { type RunningScript, type StopReason, supervise } from "./supervisor.ts";
import { within } from "./time_limit.ts";
import { createUserFinder } from "./user_finder.ts";

/** What running depends on. */
export interface RunnerOptions {
  readonly options: CgiOptions;
  readonly settings: RunSettings;
  readonly files: FileSystem;
  readonly processes: ProcessHost;
  readonly queue: Queue;
  readonly failures: Failures;
  readonly diagnose: Diagnose;
  readonly log: Log;
}

/** Runs scripts. */
export interface Runner {
  run(attempt: Attempt): Promise<Response>;
  /** Starts no more, waits for running scripts, then stops them. Resolves when none is left. */
  close(graceMs: number): Promise<void>;
}

/** What a request has come to. */
interface Course {
  running: RunningScript | null;
  /** Why the script is to be stopped: it may be known before there is one. */
  stop: StopReason | null;
  /** What the request's body did that must be answered in the script's place. */
  refusal: Failure | null;
}

/** Makes a runner. */
export function createRunner(host: RunnerOptions): Runner {
  const { options, settings, queue, failures } = host;
  const bodies = createBodyHost(settings, host.processes);
  const sendFile = createSendFile(options.sendfile ?? [], host.files);
  const startScript = createStart(host);
  const running = createRunningSet();

  async function run(attempt: Attempt): Promise<Response> {
    const { request, connection } = attempt.call;
    const declared = declaredBody(request, settings);
    if (declared.kind === "refused") return await failures.answer(attempt, declared);
    const { signal } = request;
    const place = await queue.enter(connection.remote?.hostname ?? "", signal);
    if (typeof place === "string") return await sendAway(attempt, place, host);
    const course: Course = { running: null, stop: null, refusal: null };
    const leave = (): void => stop(course, "client-gone");
    signal.addEventListener("abort", leave);
    try {
      return await runInPlace(attempt, declared, place, course);
    } catch (error) {
      stop(course, "bad-output");
      throw error;
    } finally {
      // From now on it is the response's body that tells whether the client is there. On Deno a listener that stays
      // would be called after each response that was delivered, too.
      signal.removeEventListener("abort", leave);
      if (course.running === null) place.release();
    }
  }

  async function runInPlace(
    attempt: Attempt,
    declared: DeclaredBody,
    place: Place,
    course: Course,
  ): Promise<Response> {
    const { request } = attempt.call;
    const body = await bodies.prepare(request, declared, bodyEvents(course, settings));
    if (request.signal.aborted) {
      if (body.kind === "input") body.release();
      return nobody();
    }
    if (body.kind === "refused") return await failures.answer(attempt, body);
    const child = await running.starting(startScript(attempt, body));
    if ("reason" in child) {
      body.release();
      return await failures.answer(attempt, child);
    }
    return await runStarted(attempt, child, course, () => {
      body.release();
      place.release();
    });
  }

  async function runStarted(
    attempt: Attempt,
    child: ChildProcess,
    course: Course,
    onEnd: () => void,
  ): Promise<Response> {
    const { request, connection } = attempt.call;
    const limit = settings.limits.stderr;
    const told = createScriptLog({ log: host.log, onStderr: options.onStderr, onExit: options.onExit, limit }, attempt, child.pid);
    const script = supervise(child, {
      times: settings.times,
      stderr: { limit, onLine: told.line, onLimit: told.limitReached },
      onEnd,
      onExit: told.exit,
    });
    course.running = script;
    running.add(script);
    if (course.stop !== null) script.stop(course.stop);
    return await answerWithScript({
      request,
      connection,
      running: script,
      strict: settings.strict,
      sendFile,
      fail: (failure) => failures.answer(attempt, failure),
      brokenOff: (reason) => void failures.brokenOff(attempt, script, reason),
      warn: (message) => failures.warn(attempt, message, script),
      refusal: () => course.refusal,
    });
  }

  return { run, close: running.close };
}

function stop(course: Course, reason: StopReason): void {
  course.stop ??= reason;
  course.running?.stop(reason);
}

function bodyEvents(course: Course, { limits }: RunSettings): Parameters<ReturnType<typeof createBodyHost>["prepare"]>[2] {
  return {
    progress: () => course.running?.progress(),
    // Stopped before its input ends: a script must not take half an upload for a whole one.
    broken: () => stop(course, "client-gone"),
    tooLarge() {
      course.refusal = { status: 413, reason: `a request body of more than ${limits.body} bytes` };
      stop(course, "output-unwanted");
    },
  };
}

/** An answer that nobody will read; nginx' status for it, for the access log. */
function nobody(): Response {
  return respond(499, new Headers(), null);
}

async function sendAway(
  attempt: Attempt,
  rejection: Rejection,
  { queue, failures, settings }: RunnerOptions,
): Promise<Response> {
  if (rejection === "gone") return nobody();
  const reasons: Readonly<Record<Exclude<Rejection, "gone">, string>> = {
    full: `${queue.running} scripts run and ${queue.waiting} requests wait (limits.concurrent, limits.queue)`,
    late: `no place within ${settings.limits.waitMs / 1000} s (limits.wait)`,
    closed: "the server is shutting down",
  };
  return await failures.answer(attempt, {
    status: 503,
    reason: reasons[rejection],
    headers: { "retry-after": String(queue.retryAfter()) },
  });
}

/** Starts a script, or says why not. */
type Start = (attempt: Attempt, body: ScriptInput) => Promise<ChildProcess | Failure>;

function createStart({ options, settings, processes, diagnose, queue, log }: RunnerOptions): Start {
  const createVariables = createEnvironment(options, processes);
  const findUser = createUserFinder(options.user, processes, log);

  async function explain(error: SpawnError, { script }: Attempt): Promise<Failure> {
    const advice = await diagnose(script);
    const reason = `cannot start ${script.program}: ${error.message}${advice === null ? "" : `; ${advice}`}`;
    // Out of processes or memory: the script is not to blame, and it may go well in a moment.
    if (error.reason === "exhausted") {
      return { status: 503, reason, headers: { "retry-after": String(queue.retryAfter()) } };
    }
    return { status: error.reason === "denied" ? 403 : 502, reason };
  }

  return async function start(attempt, body) {
    const { call: { request, connection }, script } = attempt;
    const url = requestUrl(request);
    const words = queryArguments(request, url.search.slice(1), options.indexedQueries ?? false);
    const command = {
      program: script.program,
      args: [...script.args, ...words],
      cwd: script.cwd,
      stdin: body.stdin,
      env: createVariables({
        request,
        url,
        connection,
        script,
        contentLength: body.length,
        deadlineMs: settings.times.totalMs === Infinity ? null : settings.times.totalMs,
        redirectedFrom: redirectSource(request),
      }),
      user: await findUser(),
    };
    try {
      return await processes.spawn(command);
    } catch (error) {
      if (error instanceof SpawnError) return await explain(error, attempt);
      throw error;
    }
  };
}

/** The scripts that run now. */
interface RunningSet {
  add(script: RunningScript): void;
  /** Passes a start through; it is waited for at the end. */
  starting<T>(start: Promise<T>): Promise<T>;
  close(graceMs: number): Promise<void>;
}

function createRunningSet(): RunningSet {
  const scripts = new Set<RunningScript>();
  const starts = new Set<Promise<unknown>>();
  let stopping = false;

  async function allEnded(): Promise<true> {
    while (scripts.size > 0 || starts.size > 0) {
      await Promise.allSettled([...starts, ...Array.from(scripts, (script) => script.ended)]);
    }
    return true;
  }
  return {
    add(script) {
      scripts.add(script);
      void script.ended.then(() => scripts.delete(script));
      if (stopping) script.stop("shutdown");
    },
    async starting(start) {
      starts.add(start);
      try {
        return await start;
      } finally {
        starts.delete(start);
      }
    },
    async close(graceMs) {
      const ended = allEnded();
      if (graceMs > 0 && await within(ended, graceMs)) return;
      stopping = true;
      for (const script of scripts) script.stop("shutdown");
      await ended;
    },
  };
}
