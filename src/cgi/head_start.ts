/**
 * Starts a script on the head of a request alone. Most are over at once: then their answer needs neither a `Request` nor a
 * `Response`, nor anybody to watch over them. Any other goes on as if it had been started the ordinary way.
 *
 * @module
 */

import type { PreparedResponse, RequestHead } from "../at_once.ts";
import { now } from "../clock.ts";
import { finishedRun } from "../finished_run.ts";
import type { AnsweringScript, Begun, Connection } from "../handler.ts";
import type { Log } from "../log/events.ts";
import type { ChildProcess, ExitStatus } from "../runtime.ts";
import type { Failure } from "./failure.ts";
import type { CgiOptions } from "./options.ts";
import type { Place, Queue } from "./queue.ts";
import type { RunningSet } from "./running_set.ts";
import type { Script } from "./script.ts";
import { aboutScript, tellExit } from "./script_log.ts";
import type { Start } from "./start.ts";
import { type HeadMemory, wholeAnswer } from "./whole_answer.ts";

/** A script that was started, and that is to be gone on with. */
export interface Underway {
  readonly script: Script;
  readonly place: Place;
  readonly starting: Promise<ChildProcess | Failure>;
  /** As `performance.now()` has it. */
  readonly started: number;
}

/** What it depends on. */
export interface HeadStartOptions {
  readonly options: CgiOptions;
  readonly strict: boolean;
  readonly queue: Queue;
  readonly running: RunningSet;
  readonly startScript: Start;
  readonly log: Log;
}

/** Starts scripts on the head of a request. */
export interface HeadStart {
  /** `null` where it takes a whole request, or there is no place at the moment: nothing was begun. */
  begin(head: RequestHead, connection: Connection, script: Script): Promise<PreparedResponse | Begun> | null;
  /** What was begun here, once. */
  take(begun: Begun): Underway | undefined;
}

const NO_INPUT = { stdin: null, length: null };

/** Prepares it. */
export function createHeadStart(host: HeadStartOptions): HeadStart {
  const { options, strict, queue, running, startScript, log } = host;
  const memories = new WeakMap<Script, HeadMemory>();
  const underway = new Map<Begun, { readonly started: Underway; taken(): void }>();
  // These are told of the request itself.
  const isPossible = options.authorize === undefined && options.onExit === undefined &&
    typeof options.env !== "function";
  let lastHost = "localhost";

  function urlOf({ target, headers }: RequestHead, secure: boolean | undefined): string | null {
    const host = headers.get("host") ?? "localhost";
    if (host !== lastHost) {
      if (!URL.canParse(`http://${host}/`)) return null;
      lastHost = host;
    }
    return `${secure ? "https" : "http"}://${host}${target}`;
  }

  function memoryOf(script: Script): HeadMemory {
    let memory = memories.get(script);
    if (memory === undefined) memories.set(script, memory = { last: null });
    return memory;
  }

  /** From here on whoever asks in full sees to it. */
  function leave(begun: Begun, started: Underway): Begun {
    // Nobody is to think before that, that there is nothing left to end.
    void running.starting(
      new Promise<void>((taken) => underway.set(begun, { started, taken })),
    );
    return begun;
  }

  return {
    begin(head, connection, script) {
      const url = isPossible ? urlOf(head, connection.secure) : null;
      const place = url === null ? null : queue.enterNow?.(connection.remote?.hostname ?? "") ?? null;
      if (url === null || place === null) return null;
      const started = now();
      const { requestId = crypto.randomUUID() } = connection;
      const begun = { requestId, started };
      const { method, headers, isKept } = head;
      const request = { method, url, headers };
      const starting = startScript({ request, isKept, connection, requestId, script }, NO_INPUT);
      function conclude(child: ChildProcess | Failure | null): PreparedResponse | Begun {
        const run = child === null || "reason" in child ? undefined : finishedRun(child);
        const answer = run && wholeAnswer(run, head, strict, memoryOf(script));
        if (!run || !answer) return leave(begun, { script, place: place!, starting, started });
        const { pid } = child as ChildProcess;
        place!.release();
        tellExit(log, aboutScript(script.filename, pid, requestId), run.status, now() - started);
        const { status, statusText, headers, body } = answer;
        return {
          status,
          statusText,
          headers: headers.toRecord(),
          body,
          requestId,
          script: endedScript(script.filename, pid, run.status),
        };
      }
      return running.starting(starting.then(conclude, () => conclude(null)));
    },
    take(begun) {
      const entry = underway.get(begun);
      underway.delete(begun);
      entry?.taken();
      return entry?.started;
    },
  };
}

/** What is told of a script that has ended. */
export function endedScript(path: string, pid: number, status: ExitStatus): AnsweringScript {
  return { path, pid, exit: () => status, exitWithin: () => Promise.resolve(status) };
}
