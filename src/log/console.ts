/**
 * The library's default log: what went wrong goes to the console, requests do not.
 *
 * @module
 */

import type { Log, LogEvent } from "./events.ts";
import { formatEvent } from "./format.ts";

/** A log that writes failures and the scripts' standard error to `console.error`, one line each. */
export function consoleLog(): Log {
  return Object.assign(tell, { access: false });

  function tell(event: LogEvent): void {
    if (event.type === "access" || event.type === "script-exit") return;
    // deno-lint-ignore no-console
    console.error(formatEvent(event));
  }
}
