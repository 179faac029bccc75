/**
 * The event for a request, from the moment it comes in to the end of its response.
 *
 * @module
 */

import type { PreparedResponse, RequestHead } from "../at_once.ts";
import { now } from "../clock.ts";
import type { AnsweringScript, Connection, Sent, VerifiedUser } from "../handler.ts";
import { requestTarget } from "../request_path.ts";
import type { ExitStatus } from "../runtime.ts";
import type { AccessEvent, Log } from "./events.ts";

/** What is noted of a request while it is being answered. */
export interface AccessRecord {
  /** Takes note of the script that answers. */
  onScript(script: AnsweringScript): void;
  /** Takes note of the verified user. */
  onUser(user: VerifiedUser): void;
  /** The response is handed over: logs it once it has been sent. `failed` when the client left before there was one. */
  answered(response: Response, failed: boolean): void;
}

/** What nginx logs for a client that left before it was answered. Never sent. */
const CLIENT_GONE = 499;

/**
 * How long an event waits for the exit status of a script whose response has ended, in milliseconds: most end a moment
 * after their last byte.
 */
const EXIT_WAIT = 250;

/** Opens the record of a request that has just come in. */
export function accessRecord(
  request: Request,
  connection: Connection & { readonly requestId: string },
  log: Log,
): AccessRecord {
  if (log.access === false) return NO_RECORD;
  const { requestId, onSent, begun } = connection;
  const started = begun?.started ?? now();
  const time = timeOf(started);
  let script: AnsweringScript | null = null;
  let user = connection.user ?? null;

  function tell(status: number, bytes: number | null, complete: boolean): void {
    const durationMs = now() - started;
    function write(exit: ExitStatus | null): void {
      const target = requestTarget(request);
      const asked = { method: request.method, target, headers: request.headers };
      const outcome = { requestId, time, durationMs, status, bytes, complete, script, exit };
      log(eventOf(asked, { ...connection, user }, outcome));
    }
    const exit = script?.exit() ?? null;
    if (script === null || exit !== null) write(exit);
    else void script.exitWithin(EXIT_WAIT).then(write);
  }

  return {
    onScript(answering) {
      script = answering;
    },
    onUser(verified) {
      user = verified;
    },
    answered(response, failed) {
      const { status } = response;
      if (failed) return tell(CLIENT_GONE, null, false);
      if (onSent === undefined) return tell(status, announcedLength(request, response), true);
      onSent(({ begun, bytes, complete }: Sent) => tell(begun ? status : CLIENT_GONE, bytes, complete));
    },
  };
}

/** The time of day of what `performance.now()` has given. */
function timeOf(started: number): Date {
  return new Date(Date.now() - Math.floor(now() - started));
}

const NO_RECORD: AccessRecord = { onScript() {}, onUser() {}, answered() {} };

/** The same for an answer that is there at once; `started` as `performance.now()` has it. */
export function accessTeller(
  { method, target, headers }: RequestHead,
  connection: Connection,
  { status, script, requestId = connection.requestId }: PreparedResponse,
  started: number,
  log: Log,
): (sent: Sent) => void {
  return ({ begun, bytes, complete }) => {
    const durationMs = now() - started;
    const outcome = {
      requestId: requestId ?? (log.requestIds === false ? "" : crypto.randomUUID()),
      time: new Date(Date.now() - Math.floor(durationMs)),
      durationMs,
      status: begun ? status : CLIENT_GONE,
      bytes,
      complete,
      script: script ?? null,
      exit: script?.exit() ?? null,
    };
    const asked = {
      method,
      target: REWRITTEN.test(target) ? requestTarget({ url: target }) : target,
      headers,
    };
    log(eventOf(asked, connection, outcome));
  };
}

/** What a URL writes differently in a query; of what else there is in a target, no answer is at once that has it. */
const REWRITTEN = /[^!$-&(-;=?-~]/;

/** What is known of how a request was answered. */
interface Outcome
  extends Pick<AccessEvent, "requestId" | "time" | "durationMs" | "status" | "bytes" | "complete"> {
  readonly script: AnsweringScript | null;
  readonly exit: ExitStatus | null;
}

function eventOf(
  { method, target, headers }: RequestHead,
  { remote, user, protocol }: Connection,
  { requestId, time, durationMs, status, bytes, complete, script, exit }: Outcome,
): AccessEvent {
  return {
    type: "access",
    time,
    requestId,
    remote: remote?.hostname ?? null,
    user: user?.name ?? null,
    method,
    target,
    protocol: protocol ?? "HTTP/1.1",
    status,
    bytes,
    complete,
    durationMs,
    script: script?.path ?? null,
    pid: script?.pid ?? null,
    code: exit?.code ?? null,
    signal: exit?.signal ?? null,
    referer: headers.get("referer"),
    userAgent: headers.get("user-agent"),
  };
}

/** What a server that does not tell what it has sent is taken to send. */
function announcedLength(request: Request, response: Response): number | null {
  const length = response.headers.get("content-length");
  return length === null || request.method === "HEAD" ? null : Number(length);
}
