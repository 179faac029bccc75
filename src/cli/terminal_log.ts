/**
 * The log of the command line: on standard error, as the flags ask for it.
 *
 * @module
 */

import type { Log, LogEvent } from "../log/events.ts";
import { formatEvent } from "../log/format.ts";
import type { Terminal } from "../runtime.ts";
import type { Settings } from "./settings.ts";

/** That log. */
export interface TerminalLog extends Log {
  /** Takes it that the person at the terminal has been told this already. */
  told(message: string): void;
}

/** Makes it. What the scripts' user is, is said once: at the start, and not again by the first script. */
export function terminalLog(
  terminal: Pick<Terminal, "stderr">,
  { log, quiet }: Pick<Settings, "log" | "quiet">,
  colours: boolean,
): TerminalLog {
  const said = new Set<string>();
  // Also of lines that workers wrote.
  terminal.stderr("", dropped);
  return Object.assign(tell, {
    access: log !== null,
    requestIds: log === "json",
    told: (message: string) => void said.add(message),
  });

  function tell(event: LogEvent): void {
    if (event.type === "access" && log === null) return;
    if (event.type === "script-exit" && log !== "json") return;
    if (event.type === "message" && event.level === "info") {
      if (quiet || (event.source === "cgi" && said.has(event.message))) return;
      said.add(event.message);
    }
    terminal.stderr(lineOf(event));
  }
  function lineOf(event: LogEvent): string {
    return `${formatEvent(event, log ?? "common", colours)}\n`;
  }
  function dropped(lines: number): string {
    const what = lines === 1 ? "1 line of the log was" : `${lines} lines of the log were`;
    const message = `${what} dropped here, because standard error was not read`;
    return lineOf({ type: "message", level: "warning", source: "server", message });
  }
}
