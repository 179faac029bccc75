/**
 * The event for a request, from the moment it comes in to the end of its response.
 *
 * @module
 */

import type { AnsweringScript, Connection, Sent, VerifiedUser } from "../handler.ts";
import { requestTarget } from "../request_path.ts";
import type { ExitStatus } from "../runtime.ts";
import type { Log } from "./events.ts";

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
  const time = new Date();
  const started = performance.now();
  let script: AnsweringScript | null = null;
  let user = connection.user ?? null;

  function tell(status: number, bytes: number | null, complete: boolean): void {
    const durationMs = performance.now() - started;
    function write(exit: ExitStatus | null): void {
      log({
        type: "access",
        time,
        requestId: connection.requestId,
        remote: connection.remote?.hostname ?? null,
        user: user?.name ?? null,
        method: request.method,
        target: requestTarget(request),
        protocol: connection.protocol ?? "HTTP/1.1",
        status,
        bytes,
        complete,
        durationMs,
        script: script?.path ?? null,
        pid: script?.pid ?? null,
        code: exit?.code ?? null,
        signal: exit?.signal ?? null,
        referer: request.headers.get("referer"),
        userAgent: request.headers.get("user-agent"),
      });
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
      const { onSent } = connection;
      if (failed) return tell(CLIENT_GONE, null, false);
      if (onSent === undefined) return tell(status, announcedLength(request, response), true);
      onSent(({ begun, bytes, complete }: Sent) => tell(begun ? status : CLIENT_GONE, bytes, complete));
    },
  };
}

/** What a server that does not tell what it has sent is taken to send. */
function announcedLength(request: Request, response: Response): number | null {
  const length = response.headers.get("content-length");
  return length === null || request.method === "HEAD" ? null : Number(length);
}
