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
function accessRecord({ time, type, requestId: id, target, ...rest }: AccessEvent): Record<string, unknown> {
  const [path, query] = splitTarget(target);
  const { remote, user, method, ...outcome } = fieldsOf(rest);
  return { time, type, id, remote, user, method, path, query, ...outcome };
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
