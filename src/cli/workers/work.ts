/**
 * A worker's side: what the one that started it decides, says and is told in its place.
 *
 * @module
 */

import { SPOOL_DISK } from "../../cgi/settings.ts";
import type { Log } from "../../log/events.ts";
import type { Line, Runtime } from "../../runtime.ts";
import { runsScripts, type SiteCgiOptions, type SiteOptions } from "../../site_options.ts";
import type { Settings } from "../settings.ts";
import { type LoggedSite, type OpenSite, openSite } from "../open.ts";
import type { FromWorker, Orders, ToWorker } from "./messages.ts";
import { queueOver } from "./shared_queue.ts";

/** Resolves with what the starter has found out, once it has said it. */
export function askOrders(line: Line): Promise<Orders> {
  return new Promise((resolve) => {
    listen(line, (message) => {
      if (message.type === "listen") resolve(message.orders);
    });
    say(line, { type: "hello" });
  });
}

/** The whole life of a worker. Resolves with its exit status. */
export async function work(
  line: Line,
  { port, secrets }: Orders,
  runtime: Runtime,
  settings: Settings,
  { log, ...options }: LoggedSite,
): Promise<number> {
  const own = { ...options, cgi: shareScripts(options, settings.workers, line), log: workerLog(log) };
  try {
    const started = await openSite(runtime, { ...settings, port }, own, secrets);
    const stopped = untilTold(line, started);
    say(line, { type: "listening" });
    return await stopped;
  } catch (error) {
    say(line, { type: "failed", message: error instanceof Error ? error.message : String(error) });
    return 1;
  }
}

/** Does what the starter says, until that is to end. What there is to say about it the starter says. */
function untilTold(line: Line, { server, site, drain, take }: OpenSite): Promise<number> {
  return new Promise((resolve, reject) => {
    listen(line, (message) => {
      if (message.type === "drain") drain();
      if (message.type === "secrets") take(message.secrets);
      if (message.type === "stop") {
        const { graceMs } = message;
        const closed = server.close(graceMs);
        // The end of the process breaks whatever is still open then. On Bun, connections of TLS take seconds to break.
        const rest = graceMs === 0 ? null : closed;
        Promise.all([rest, site.close(graceMs)]).then(() => resolve(0), reject);
      }
    });
  });
}

function listen(line: Line, callback: (message: ToWorker) => void): void {
  line.onMessage((message) => callback(message as ToWorker));
}

function say(line: Line, message: FromWorker): void {
  line.send(message);
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
