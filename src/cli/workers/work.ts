/**
 * A worker's side: what the one that started it decides, says and is told in its place.
 *
 * @module
 */

import { SPOOL_DISK } from "../../cgi/settings.ts";
import type { Log } from "../../log/events.ts";
import type { Line, Runtime, Terminal } from "../../runtime.ts";
import { runsScripts, type SiteCgiOptions, type SiteOptions } from "../../site.ts";
import type { Settings } from "../settings.ts";
import { type LoggedSite, openSite } from "../open.ts";
import { untilStopped } from "../stop.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { queueOver } from "./shared_queue.ts";

/** The whole life of a worker. Resolves with its exit status. */
export async function work(
  line: Line,
  runtime: Runtime,
  settings: Settings,
  { log, ...options }: LoggedSite,
): Promise<number> {
  const { port, ...shared } = await askWhere(line);
  const own = { ...options, cgi: shareScripts(options, settings.workers, line), log: workerLog(log) };
  try {
    const started = await openSite(runtime, { ...settings, port }, own, shared);
    const stopped = untilStopped(workerTerminal(line), settings, started);
    say(line, { type: "listening" });
    return await stopped;
  } catch (error) {
    say(line, { type: "failed", message: error instanceof Error ? error.message : String(error) });
    return 1;
  }
}

/** Resolves with the port to listen on and what else all have in common, once the starter has said it. */
function askWhere(line: Line): Promise<Extract<ToWorker, { type: "listen" }>> {
  return new Promise((resolve) => {
    line.onMessage((message) => {
      const said = message as ToWorker;
      if (said.type === "listen") resolve(said);
    });
    say(line, { type: "hello" });
  });
}

function say(line: Line, message: FromWorker): void {
  line.send(message);
}

/** Where a worker hears of signals; what there is to say about them the starter says. */
function workerTerminal(line: Line): Pick<Terminal, "onStop" | "onHangup" | "stderr"> {
  return {
    stderr() {},
    onHangup(callback) {
      line.onMessage((message) => {
        if ((message as ToWorker).type === "reload") callback(false);
      });
    },
    onStop(callback) {
      line.onMessage((message) => {
        const said = message as ToWorker;
        if (said.type === "stop") callback("SIGTERM");
      });
    },
  };
}

/** The log of a worker: what is worth knowing is said once, by the starter. */
function workerLog(log: Log): Log {
  return (event) => {
    if (event.type !== "message" || event.level !== "info") log(event);
  };
}

/** The scripts of a worker: what limits them holds for all workers together. */
function shareScripts(options: SiteOptions, count: number, line: Line): boolean | SiteCgiOptions {
  if (!runsScripts(options)) return options.cgi ?? false;
  const cgi = typeof options.cgi === "object" ? options.cgi : {};
  const { spoolDisk = SPOOL_DISK } = cgi.limits ?? {};
  return { ...cgi, limits: { ...cgi.limits, spoolDisk: spoolDisk / count }, queue: queueOver(line) };
}
