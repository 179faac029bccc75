/**
 * From a script and a request to a running process, or to the reason why there is none.
 *
 * @module
 */

import type { RequestFields } from "../at_once.ts";
import type { Connection } from "../handler.ts";
import type { Log } from "../log/events.ts";
import { requestUrl } from "../request_path.ts";
import { type ChildProcess, type ProcessHost, SpawnError } from "../runtime.ts";
import { queryArguments } from "./arguments.ts";
import type { ScriptInput } from "./body.ts";
import type { Diagnose } from "./diagnosis.ts";
import { type Asked, createEnvironment, type RequestPart, requestPart } from "./environment.ts";
import type { Failure } from "./failure.ts";
import type { CgiOptions } from "./options.ts";
import type { Queue } from "./queue.ts";
import { redirectSource } from "./redirect.ts";
import type { Script } from "./script.ts";
import type { RunSettings } from "./settings.ts";
import { createUserFinder } from "./user_finder.ts";

/** What starting depends on. */
export interface StartOptions {
  readonly options: CgiOptions;
  readonly settings: RunSettings;
  readonly processes: ProcessHost;
  readonly diagnose: Diagnose;
  readonly queue: Pick<Queue, "retryAfter">;
  readonly log: Log;
}

/** What is started, and for whom. */
export interface Started {
  readonly script: Script;
  readonly request: Request | Asked;
  /** As {@linkcode RequestHead.isKept}. */
  readonly isKept?: boolean | undefined;
  readonly connection: Connection;
  /** Its name. Default: what the connection says. */
  readonly requestId?: string | undefined;
}

/** Starts a script, or says why not. */
export type Start = (
  what: Started,
  body: Pick<ScriptInput, "stdin" | "length">,
) => Promise<ChildProcess | Failure>;

/** What follows from a request and its script. */
interface Known {
  readonly method: string;
  readonly requestUrl: string;
  readonly script: Script;
  readonly url: URL;
  readonly part: RequestPart;
}

/** Prepares starting. */
export function createStart({ options, settings, processes, diagnose, queue, log }: StartOptions): Start {
  const createVariables = createEnvironment(options, processes);
  const known = new WeakMap<RequestFields, Known>();
  const findUser = createUserFinder(options.user, processes, log);

  async function explain(error: SpawnError, script: Script): Promise<Failure> {
    const what = script.program === script.filename ? "cannot start" : `cannot start ${script.program}`;
    const cause = error.message.replace(`Cannot start ${script.program}: `, "");
    // What stands in the way says more than what the system made of it.
    const reason = `${what}: ${error.reason === "exhausted" ? cause : await diagnose(script) ?? cause}`;
    // Out of processes or memory: the script is not to blame, and it may go well in a moment.
    if (error.reason === "exhausted") {
      return { status: 503, reason, headers: { "retry-after": String(queue.retryAfter()) } };
    }
    return { status: error.reason === "denied" ? 403 : 502, reason };
  }

  /** Most requests that come again are for the same script. */
  function know({ request, isKept, script }: Started): Known {
    const before = isKept ? known.get(request.headers) : undefined;
    if (before?.script === script && before.requestUrl === request.url && before.method === request.method) {
      return before;
    }
    const url = requestUrl(request);
    const now = {
      method: request.method,
      requestUrl: request.url,
      script,
      url,
      part: requestPart({ request, url, script }),
    };
    if (isKept) known.set(request.headers, now);
    return now;
  }

  return async function start(started, body) {
    const { request, connection, script, requestId } = started;
    const { url, part } = know(started);
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
        requestId,
        script,
        contentLength: body.length,
        deadlineMs: settings.times.totalMs === Infinity ? null : settings.times.totalMs,
        redirectedFrom: redirectSource(request),
        part,
      }),
      user: await findUser(),
      direct: options.direct ?? false,
    };
    try {
      return await processes.spawn(command);
    } catch (error) {
      if (error instanceof SpawnError) return await explain(error, script);
      throw error;
    }
  };
}
