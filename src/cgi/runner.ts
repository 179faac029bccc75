/**
 * Runs a script that was found: waits for a place, takes the request's body, starts the process, and sees to it that
 * whatever happens ends in one answer and with nothing left over.
 *
 * @module
 */

import { now } from "../clock.ts";
import { finishedRun } from "../finished_run.ts";
import { respond } from "../response.ts";
import type { ChildProcess, FileSystem } from "../runtime.ts";
import { answerWithScript } from "./answer.ts";
import { createBodyHost, type DeclaredBody, declaredBody, type ScriptInput } from "./body.ts";
import type { BodyEvents, BodyRefusal } from "./body_reading.ts";
import type { Attempt, Failure, Failures } from "./failure.ts";
import { createHeadStart, endedScript, type HeadStart, type Underway } from "./head_start.ts";
import type { Queue, Rejection } from "./queue.ts";
import { createRunningSet } from "./running_set.ts";
import { createScriptLog, type ScriptLog } from "./script_log.ts";
import { createSendFile } from "./sendfile.ts";
import type { RunSettings } from "./settings.ts";
import { createStart, type StartOptions } from "./start.ts";
import { type RunningScript, type StopReason, supervise } from "./supervisor.ts";
import { wholeAnswer } from "./whole_answer.ts";

/** What running depends on. */
export interface RunnerOptions extends StartOptions {
  readonly files: FileSystem;
  readonly queue: Queue;
  readonly failures: Failures;
}

/** Runs scripts. */
export interface Runner {
  /** `underway`: what was begun for it already. */
  run(attempt: Attempt, underway?: Underway): Promise<Response>;
  readonly headStart: HeadStart;
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
  /** What the request holds: its place, its body. Freed when its script has ended, or is not to be. */
  readonly held: { release(): void }[];
}

/** Makes a runner. */
export function createRunner(host: RunnerOptions): Runner {
  const { options, settings, queue, failures } = host;
  const bodies = createBodyHost(settings, host.processes);
  const sendFile = createSendFile(options.sendfile ?? [], host.files);
  const startScript = createStart(host);
  const running = createRunningSet();

  const headStart = createHeadStart({
    options,
    strict: settings.strict,
    queue,
    running,
    startScript,
    log: host.log,
  });

  async function run(attempt: Attempt, underway?: Underway): Promise<Response> {
    const { request } = attempt.call;
    const declared = declaredBody(request, settings, attempt.call.connection.protocol);
    if (declared.kind === "refused") return await refuse(attempt, declared);
    const { signal } = request;
    const course: Course = {
      running: null,
      stop: null,
      refusal: null,
      held: underway ? [underway.place] : [],
    };
    const leave = (): void => stop(course, "client-gone");
    signal.addEventListener("abort", leave);
    try {
      if (underway !== undefined) return await goOn(attempt, underway, course);
      return await (isCollected(declared)
        ? runCollected(attempt, declared, course)
        : runInPlace(attempt, declared, course));
    } catch (error) {
      stop(course, "bad-output");
      throw error;
    } finally {
      // From now on it is the response's body that tells whether the client is there. On Deno a listener that stays
      // would be called after each response that was delivered, too.
      signal.removeEventListener("abort", leave);
      if (course.running === null) release(course);
    }
  }

  function isCollected({ kind }: DeclaredBody): boolean {
    return kind === "unknown" && settings.chunked === "spool";
  }

  /** A body that is collected may take its time: it comes first, so that it keeps no place from others. */
  async function runCollected(attempt: Attempt, declared: DeclaredBody, course: Course): Promise<Response> {
    // While there is nothing to lose yet but the head.
    const refused = queue.refusal(clientOf(attempt));
    if (refused !== null) return await sendAway(attempt, refused, host);
    const body = await takeBody(attempt, declared, course);
    if (body.kind === "refused") return await refuse(attempt, body);
    const place = await enter(attempt, course);
    return place === null ? await start(attempt, body, course) : await sendAway(attempt, place, host);
  }

  async function runInPlace(attempt: Attempt, declared: DeclaredBody, course: Course): Promise<Response> {
    const place = await enter(attempt, course);
    if (place !== null) return await sendAway(attempt, place, host);
    const body = await takeBody(attempt, declared, course);
    return body.kind === "refused" ? await refuse(attempt, body) : await start(attempt, body, course);
  }

  async function enter(attempt: Attempt, course: Course): Promise<Rejection | null> {
    const place = await queue.enter(clientOf(attempt), attempt.call.request.signal);
    if (typeof place === "string") return place;
    course.held.push(place);
    return null;
  }

  async function takeBody(
    { call: { request } }: Attempt,
    declared: DeclaredBody,
    course: Course,
  ): Promise<ScriptInput | BodyRefusal> {
    const body = await bodies.prepare(request, declared, bodyEvents(course, settings));
    if (body.kind === "input") course.held.push(body);
    return body;
  }

  async function refuse(attempt: Attempt, { status, reason }: BodyRefusal): Promise<Response> {
    if (attempt.call.request.signal.aborted) return nobody();
    const headers: Record<string, string> = status === 503
      ? { "retry-after": String(queue.retryAfter()) }
      : {};
    // Where a body cannot be made out, what comes after it may be no request.
    if (status === 400 || status === 501) headers["connection"] = "close";
    return await failures.answer(attempt, { status, reason, headers });
  }

  async function start(attempt: Attempt, body: ScriptInput, course: Course): Promise<Response> {
    if (attempt.call.request.signal.aborted) return nobody();
    const started = now();
    const { call: { request, connection }, script } = attempt;
    const child = await running.starting(startScript({ request, connection, script }, body));
    return await answerFrom(attempt, child, course, started);
  }

  async function goOn(attempt: Attempt, { starting, started }: Underway, course: Course): Promise<Response> {
    if (attempt.call.request.signal.aborted) stop(course, "client-gone");
    return await answerFrom(attempt, await running.starting(starting), course, started);
  }

  async function answerFrom(
    attempt: Attempt,
    child: ChildProcess | Failure,
    course: Course,
    started: number,
  ): Promise<Response> {
    if ("reason" in child) return await failures.answer(attempt, child);
    return answerFinished(attempt, child, course, started) ??
      await runStarted(attempt, child, course, started);
  }

  function scriptLog(attempt: Attempt, { pid }: ChildProcess): ScriptLog {
    const { onStderr, onExit } = options;
    return createScriptLog({ log: host.log, onStderr, onExit, limit: settings.limits.stderr }, attempt, pid);
  }

  /** `null` when the script is to be watched over. */
  function answerFinished(
    attempt: Attempt,
    child: ChildProcess,
    course: Course,
    started: number,
  ): Response | null {
    const run = finishedRun(child);
    if (run === undefined || course.stop !== null) return null;
    const { request, connection, scriptFilename } = attempt.call;
    const answer = wholeAnswer(run, request, settings.strict);
    if (answer === null) return null;
    connection.onScript?.(endedScript(scriptFilename, child.pid, run.status));
    release(course);
    scriptLog(attempt, child).exit(run.status, null, now() - started);
    return respond(answer.status, answer.headers.toHeaders(), answer.body, answer.statusText);
  }

  async function runStarted(
    attempt: Attempt,
    child: ChildProcess,
    course: Course,
    started: number,
  ): Promise<Response> {
    const { request, connection } = attempt.call;
    const told = scriptLog(attempt, child);
    const script = supervise(child, {
      started,
      times: settings.times,
      stderr: { limit: settings.limits.stderr, onLine: told.line, onLimit: told.limitReached },
      onEnd: () => release(course),
      onExit: told.exit,
    });
    course.running = script;
    connection.onScript?.({ ...script, path: attempt.call.scriptFilename });
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

  return { run, headStart, close: running.close };
}

function clientOf({ call }: Attempt): string {
  return call.connection.remote?.hostname ?? "";
}

function release(course: Course): void {
  for (const held of course.held.splice(0)) held.release();
}

function stop(course: Course, reason: StopReason): void {
  course.stop ??= reason;
  course.running?.stop(reason);
}

function bodyEvents(course: Course, { limits }: RunSettings): BodyEvents {
  return {
    progress: () => course.running?.progress(),
    // Stopped before its input ends: a script must not take half an upload for a whole one.
    broken: () => stop(course, "client-gone"),
    tooLarge() {
      course.refusal = {
        status: 413,
        reason: `a request body of more than ${limits.body} bytes (limits.body)`,
      };
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
    full:
      `${queue.running} scripts run and ${queue.waiting} requests wait (limits.concurrent, --cgi-max; limits.queue, --cgi-queue)`,
    late: `no place among the running scripts within ${settings.limits.waitMs / 1000} s (limits.wait)`,
    closed: "the server is shutting down",
  };
  return await failures.answer(attempt, {
    status: 503,
    reason: reasons[rejection],
    headers: { "retry-after": String(queue.retryAfter()) },
  });
}
