/**
 * Events as JSON: one object a line, under names that a log keeps whatever the library calls them.
 *
 * @module
 */

import type { AccessEvent, LogEvent } from "./events.ts";

/** An event as an object for `JSON.stringify()`. All have `time` and `type`; `docs/command-line.md` lists the others. */
export function jsonRecord(event: LogEvent): Readonly<Record<string, unknown>> {
  if (event.type === "access") return accessRecord(event);
  const { type, requestId: id, ...rest } = event;
  return { time: new Date(), type, ...(id !== undefined && { id }), ...fieldsOf(rest) };
}

/** All of its names are there for every request: what there is none of is `null`. */
function accessRecord(event: AccessEvent): Record<string, unknown> {
  const [path, query] = splitTarget(event.target);
  return {
    time: event.time,
    type: event.type,
    id: event.requestId,
    remote: event.remote,
    user: event.user,
    method: event.method,
    path,
    query,
    protocol: event.protocol,
    status: event.status,
    bytes: event.bytes,
    complete: event.complete,
    durationMs: event.durationMs,
    script: event.script,
    pid: event.pid,
    exitStatus: event.code,
    signal: event.signal,
    referer: event.referer,
    userAgent: event.userAgent,
  } satisfies
    & Record<Exclude<keyof AccessEvent, "requestId" | "target" | "code">, unknown>
    & Record<string, unknown>;
}

/** `code` means nothing by itself. */
function fieldsOf(event: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [name === "code" ? "exitStatus" : name, value]),
  );
}

function splitTarget(target: string): readonly [path: string, query: string | null] {
  const at = target.indexOf("?");
  return at < 0 ? [target, null] : [target.slice(0, at), target.slice(at + 1)];
}
